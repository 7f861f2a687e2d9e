// All that stands between an append and a printed line is killed, again and again: brokers, relays
// and the program that prints. Each event is printed once.

#include <recount/core/error.hpp>

#include <gtest/gtest.h>

#include <array>

#include "outbox/own_broker.hpp"
#include "samples/outbox/printed.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

constexpr std::int32_t partitions = 3;

struct EventsPrintedByAnotherProcess : testing::Test {
    OwnCluster cluster;
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = partitions});
    Scheduler& scheduler = store->environment().scheduler;
    KafkaTopic topic{.brokers = cluster.brokers(), .name = "orders"};
    Printed printed{topic};
    int printers_killed = 0;

    void SetUp() override {
        create_topics(topic, {.partitions = partitions});
        // Brokers learn of topics one after the other.
        ASSERT_TRUE(eventually([&] {
            try {
                check_topics(topic, {.partitions = partitions, .replication = 3});
                return true;
            } catch (const Unavailable&) {
                return false;
            }
        }));
    }

    [[nodiscard]] std::unique_ptr<Child> start_relay() const {
        const std::string lease_ms = "1000";
        const std::string broker_timeout_ms = "3000";
        return std::make_unique<Child>(std::vector<std::string>{
            RELAY_CHILD, url, topic.brokers, topic.name, lease_ms, broker_timeout_ms});
    }
    static void kill(const std::unique_ptr<Child>& program) {
        EXPECT_TRUE(program->running()) << "it ended by itself";
        program->kill();
    }
    [[nodiscard]] bool more_is_printed() const {
        constexpr std::uintmax_t much = 20'000;  // bytes: some 200 lines
        const auto before = printed.bytes();
        return eventually([&] { return printed.bytes() > before + much; });
    }
    [[nodiscard]] bool all_in_sync() const {
        return eventually([&] {
            bool all = state_of(topic, topic.heads(), 0).in_sync == 3;
            for (std::int32_t number = 0; number < partitions; ++number) {
                all = all && state_of(topic, topic.log(), number).in_sync == 3;
            }
            return all;
        });
    }
    static Duration up_to(int milliseconds) {
        return std::chrono::milliseconds{Environment::system().random.next() %
                                         static_cast<std::uint64_t>(milliseconds)};
    }

    void append_steadily(const std::stop_token& stop) {
        do {
            place_orders(*store, 10);
        } while (scheduler.sleep(std::chrono::milliseconds{20}, stop));
    }
    /// At any moment of its life: while it starts, while it prints.
    void kill_printers(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const auto before = printed.bytes();
            auto printer = printed.start();
            if (printers_killed % 3 != 0) {
                EXPECT_TRUE(eventually([&] { return printed.bytes() > before; }));
            }
            scheduler.sleep(up_to(500));
            kill(printer);
            ++printers_killed;
        }
    }
};

TEST_F(EventsPrintedByAnotherProcess, ArePrintedOnceThoughBrokersRelaysAndItselfAreKilled) {
    auto appending =
        scheduler.spawn("append", [&](const std::stop_token& stop) { append_steadily(stop); });
    std::array relays{start_relay(), start_relay()};
    auto killing =
        scheduler.spawn("kill printers", [&](const std::stop_token& stop) { kill_printers(stop); });
    // Of the two relays one works, the other stands by and takes over.
    for (const int id : {1, 2}) {
        ASSERT_TRUE(more_is_printed());
        ASSERT_TRUE(all_in_sync());
        cluster.broker(id).kill();
        kill(relays[0]);
        ASSERT_TRUE(more_is_printed()) << "without broker " << id;
        relays[0] = start_relay();
        cluster.broker(id).launch();
        kill(relays[1]);
        ASSERT_TRUE(more_is_printed()) << "while broker " << id << " comes back";
        relays[1] = start_relay();
        cluster.await_all();
    }
    killing->request_stop();
    killing->join();
    appending->request_stop();
    appending->join();
    EXPECT_GE(printers_killed, 3);
    RecordProperty("printers killed", printers_killed);

    // What was printed before the last event would show in front of it.
    const auto printer = printed.start();
    place_orders(*store, 60);
    EXPECT_TRUE(eventually([&] { return printed.lines().size() >= events_in(*store); }));
    EXPECT_EQ(printed.wrong(*store), "");
    RecordProperty("events", static_cast<int>(events_in(*store)));
    std::int64_t replays = 0;
    EXPECT_EQ(differences(*store, topic, {}, &replays), "");
    RecordProperty("replays", static_cast<int>(replays));
}

}  // namespace
}  // namespace recount::test
