#include <recount/core/error.hpp>
#include <recount/outbox.hpp>
#include <recount/projections.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "outbox/kit.hpp"
#include "outbox/own_broker.hpp"
#include "projections/world.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using projections::Counts;

constexpr std::int32_t partitions = 3;

/// The first streams of each partition.
std::string stream_of(std::int32_t partition) {
    for (int number = 0;; ++number) {
        std::string name = "cart-" + std::to_string(number);
        if (partition_of(StreamName::parse(name), partitions).value == partition) return name;
    }
}

/// Brokers learn of each other, and of topics, one after the other.
bool comes(const std::function<void()>& work) {
    return eventually([&] {
        try {
            work();
            return true;
        } catch (const Unavailable&) {
            return false;
        }
    });
}

TEST(APartitionWithoutALeader, HoldsUpNeitherTheViewsOfTheOthersNorTheRelay) {
    OwnCluster cluster;
    projections::World world{"memory", partitions};
    EventStore& store = world.store();
    const KafkaTopic topic{.brokers = cluster.brokers(), .name = "leaderless"};
    ASSERT_TRUE(comes([&] { create_topics(topic, {.partitions = partitions, .replication = 1}); }));
    const auto append_to_all = [&] {
        for (std::int32_t number = 0; number < partitions; ++number) {
            world.append(stream_of(number), projections::added("a"));
        }
    };
    append_to_all();
    Relay relay{store, {.topic = topic}};
    ASSERT_TRUE(comes([&] { relay.catch_up(); }));
    std::set<std::int32_t> gone;
    const std::int32_t heads = state_of(topic, topic.heads(), 0).leader;
    std::int32_t killed = 0;
    for (std::int32_t number = 0; number < partitions; ++number) {
        const std::int32_t leader = state_of(topic, topic.log(), number).leader;
        if (leader == heads || (killed != 0 && leader != killed)) continue;
        killed = leader;
        gone.insert(number);
    }
    ASSERT_FALSE(gone.empty());
    KafkaLog log{{.topic = topic, .store = &store, .broker_timeout = std::chrono::seconds{1}}};
    cluster.broker(killed).kill();

    auto& scheduler = store.environment().scheduler;
    auto relaying = scheduler.spawn("relay", [&](std::stop_token stop) { relay.run(stop); });
    append_to_all();
    TemporaryFolder folder;
    const std::string views = "sqlite:" + folder.file("x.db");
    Projector<Counts> projector{log, {.views = views}};
    const auto told = [&] { return projector.status()[0].partitions; };
    const auto others_there = [&](std::int64_t n) {
        for (const PartitionStatus& at : told()) {
            if (!gone.contains(at.partition.value) && at.position < n) return false;
        }
        return true;
    };
    {
        auto running =
            scheduler.spawn("projector", [&](std::stop_token stop) { projector.run(stop); });
        EXPECT_TRUE(eventually([&] { return others_there(2); }));
        append_to_all();
        EXPECT_TRUE(eventually([&] { return others_there(3); }));
        for (const std::int32_t number : gone) {
            EXPECT_EQ(told()[static_cast<std::size_t>(number)].position, 0);
        }
        cluster.broker(killed).launch();
        EXPECT_TRUE(eventually([&] {
            for (const PartitionStatus& at : told()) {
                if (at.position < 3) return false;
            }
            return true;
        }));
    }
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
}

}  // namespace
}  // namespace recount::test
