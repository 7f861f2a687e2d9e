#pragma once

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"

namespace recount::test {

/// A store in PostgreSQL, and what tests have in common that kill relays of it.
struct RelaysToKill : testing::Test {
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 4});

    /// How far the relays' cursors are, over all partitions.
    std::int64_t cursor() {
        try {
            auto database = Database::open(url);
            auto sql = database->begin(SqlMode::snapshot);
            return sql->query("select coalesce(sum(n), 0)::bigint from relay_cursor").integer(0, 0);
        } catch (const Error&) {
            return 0;  // the table is there once a relay was
        }
    }

    static void let_pass(std::uint64_t milliseconds) {
        eventually([] { return false; }, std::chrono::milliseconds{milliseconds});
    }

    struct Kills {
        int count;
        std::uint64_t while_it_starts, while_it_works;  // within so many milliseconds
    };
    /// While somebody appends, starts a relay and kills it at any moment of its life: while it
    /// starts, while it sends, after its cursor moved. `wrong` says what is after each, or nothing.
    void kill_again_and_again(const Kills& kills,
                              const std::function<std::unique_ptr<Child>()>& start,
                              const std::function<std::string()>& wrong) {
        auto appending = store->environment().scheduler.spawn("append", [&](std::stop_token stop) {
            do {
                append_events(*store, 40);
            } while (store->environment().scheduler.sleep(std::chrono::milliseconds{20}, stop));
        });
        for (int round = 0; round < kills.count; ++round) {
            const std::int64_t before = cursor();
            append_events(*store, 1000);
            auto child = start();
            if (round % 3 == 0) {
                let_pass(Environment::system().random.next() % kills.while_it_starts);
            } else {
                EXPECT_TRUE(eventually([&] { return cursor() > before; }));
                let_pass(Environment::system().random.next() % kills.while_it_works);
            }
            child->kill();
            ASSERT_EQ(wrong(), "") << "round " << round;
        }
        appending->request_stop();
        appending->join();
    }

    /// As soon as the lease of the one that was killed is over.
    template <class AnyRelay>
    static void catch_up(AnyRelay& relay) {
        EXPECT_TRUE(eventually([&] {
            try {
                relay.catch_up();
                return true;
            } catch (const Fenced&) {
                return false;
            }
        }));
    }
};

}  // namespace recount::test
