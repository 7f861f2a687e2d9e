#include "eventstore/contract/store_contract.hpp"

#include <recount/core/error.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

constexpr int writers = 8;

void on_threads(int count, const std::function<void(int)>& run) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([&run, i] { run(i); });
}

TEST_P(SharedContract, OneOfManyWritersWinsEachVersion) {
    constexpr int versions_wanted = 25;
    std::vector<std::atomic<int>> winners(versions_wanted + 1);
    on_threads(writers, [&](int writer) {
        for (int version = 0; version < versions_wanted;) {
            const std::string id = std::to_string(writer) + "/" + std::to_string(version);
            const AppendResult result = store().append(
                make_append(id, {write("cart-1", Expected::exactly(Version{version}))}));
            if (result.kind == Kind::committed) ++winners[static_cast<std::size_t>(version)];
            // Whoever lost goes on from what there is.
            version = result.kind == Kind::committed
                          ? version + 1
                          : static_cast<int>(result.conflict.failed.at(0).actual.value);
        }
    });
    for (int version = 0; version < versions_wanted; ++version) {
        EXPECT_EQ(winners[static_cast<std::size_t>(version)], 1) << version;
    }
    EXPECT_EQ(count_events(), versions_wanted);
    store().verify_chain();
}

TEST_P(SharedContract, EveryAppendOfManyWritersIsThereOnce) {
    constexpr int rounds = 40;
    on_threads(writers, [&](int writer) {
        for (int i = 0; i < rounds; ++i) {
            const std::string id = std::to_string(writer) + "/" + std::to_string(i);
            const AppendResult result = store().append(make_append(
                id, {write("cart-" + std::to_string((writer + i) % 5), Expected::any(), 1),
                     write("order-" + std::to_string(writer), Expected::exactly({i}), 1)}));
            EXPECT_EQ(result.kind, Kind::committed) << to_string(result.conflict);
        }
    });
    std::map<std::string, int> events_of;
    for (std::int32_t i = 0; i < 16; ++i) {
        for (const RecordedEvent& event : read_partition(Partition{i})) {
            ++events_of[event.at.append_id];
        }
    }
    EXPECT_EQ(events_of.size(), static_cast<std::size_t>(writers * rounds));
    for (const auto& [id, events] : events_of) EXPECT_EQ(events, 2) << id;
    EXPECT_EQ(store().verify_chain(), store().heads());
}

TEST_P(SharedContract, OneCommandFromManyThreadsHappensOnce) {
    for (int round = 0; round < 20; ++round) {
        const Append append =
            make_append("cmd-" + std::to_string(round), {write("cart-1", Expected::any(), 2)});
        std::atomic<int> committed = 0;
        std::mutex mutex;
        std::vector<CommandOutcome> outcomes;
        on_threads(writers, [&](int) {
            const AppendResult result = store().append(append);
            if (result.kind == Kind::committed) ++committed;
            const std::lock_guard lock{mutex};
            outcomes.push_back(result.outcome.value());
        });
        EXPECT_EQ(committed, 1);
        for (const CommandOutcome& outcome : outcomes) EXPECT_EQ(outcome, outcomes.front());
    }
    EXPECT_EQ(count_events(), 40);
}

TEST_P(SharedContract, AVoidAndItsCommandAgreeOnWhatHappened) {
    std::int64_t happened = 0;
    for (int round = 0; round < 30; ++round) {
        const std::string id = "cmd-" + std::to_string(round);
        std::vector<std::optional<CommandOutcome>> outcomes(2);
        on_threads(2, [&](int which) {
            const Append append = make_append(id, {write("cart-1")});
            outcomes[static_cast<std::size_t>(which)] =
                which == 0 ? store().append(append).outcome : store().void_command(id);
        });
        ASSERT_TRUE(outcomes[0]);
        EXPECT_EQ(outcomes[0], outcomes[1]);
        EXPECT_EQ(store().find_outcome(id), outcomes[0]);
        happened += outcomes[0]->kind == CommandOutcome::Kind::events ? 1 : 0;
    }
    EXPECT_EQ(count_events(), happened);
}

TEST_P(SharedContract, ReadersSeeWholeAppendsInOrderWhileOthersWrite) {
    std::atomic<bool> done = false;
    std::jthread reader{[&] {
        std::int64_t n = 0;
        const Partition partition = partition_of("cart-1", 16);
        while (!done) {
            const LogPage page = store().read(partition, n);
            for (const RecordedEvent& event : page.events) {
                EXPECT_EQ(event.at.position.n, ++n);
            }
            // Two events an append, in one transaction: never one without the other.
            EXPECT_EQ(n % 2, 0);
            EXPECT_GE(store().heads()[static_cast<std::size_t>(partition.value)].n, n);
        }
    }};
    on_threads(4, [&](int writer) {
        for (int i = 0; i < 30; ++i) {
            static_cast<void>(
                store().append(make_append(std::to_string(writer) + "/" + std::to_string(i),
                                           {write("cart-1", Expected::any(), 2)})));
        }
    });
    done = true;
    reader.join();
    EXPECT_EQ(count_events(), 240);
}

TEST_P(SharedContract, AppendsInOppositeOrderDoNotBlockEachOther) {
    on_threads(writers, [&](int writer) {
        for (int i = 0; i < 25; ++i) {
            std::vector<StreamWrite> writes{write("cart-1"), write("stock-2"), write("order-3")};
            if (writer % 2 == 0) std::reverse(writes.begin(), writes.end());
            const AppendResult result = store().append(
                make_append(std::to_string(writer) + "/" + std::to_string(i), std::move(writes)));
            EXPECT_EQ(result.kind, Kind::committed);
        }
    });
    EXPECT_EQ(count_events(), writers * 25 * 3);
    store().verify_chain();
}

TEST_P(SharedContract, AWaiterMissesNothing) {
    constexpr int events = 100;
    std::jthread writer{[&] {
        for (int i = 0; i < events; ++i) add("cart-1");
    }};
    const Partition partition = partition_of("cart-1", 16);
    Positions seen;
    while (seen[partition] < events) {
        ASSERT_TRUE(store().wait(seen, std::chrono::seconds{60}));
        for (const RecordedEvent& event : store().read(partition, seen[partition]).events) {
            seen.raise(event.at.position);
        }
    }
}

}  // namespace
}  // namespace recount::test
