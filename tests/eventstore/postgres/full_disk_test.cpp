#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <cstdint>
#include <vector>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/server_pair.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

/// Half a megabyte that cannot be made smaller.
Append large(int number) {
    std::string payload;
    while (payload.size() < 512 << 10) {
        const std::uint64_t eight = Environment::system().random.next();
        payload.append(reinterpret_cast<const char*>(&eight), sizeof eight);
    }
    Append append = append_of({{StreamName::parse("cart-1"), Expected::any(), {}}});
    append.writes[0].events.push_back({"test.Happened", std::to_string(number) + payload});
    append.request = request_hash(append);
    return append;
}

class AFullDisk : public testing::Test {
protected:
    void SetUp() override {
        if (!SmallDisk::possible()) GTEST_SKIP() << "no disk can be mounted here: it takes root";
    }

    /// Appends until one fails, which is the last of them.
    static std::vector<Append> append_until_full(EventStore& store, std::string& why) {
        std::vector<Append> sent;
        for (int i = 0; i < 100 && why.empty(); ++i) {
            sent.push_back(large(i));
            try {
                EXPECT_EQ(store.append(sent.back()).kind, Kind::committed);
            } catch (const OutcomeUnknown& error) {
                why = std::string{"unknown: "} + error.what();
            } catch (const Error& error) {
                EXPECT_TRUE(error.retryable()) << error.what();
                why = error.what();
            }
        }
        return sent;
    }
    /// Each of them happened once, however often it is sent.
    static void expect_each_once(EventStore& store, const std::vector<Append>& sent) {
        const auto written = static_cast<std::int64_t>(sent.size());
        for (const Append& append : sent) {
            EXPECT_THAT(store.append(append).kind, testing::AnyOf(Kind::committed, Kind::repeated));
        }
        EXPECT_EQ(version_of(store, "cart-1"), written);
        std::int64_t read = 0;
        store.visit_stream(StreamName::parse("cart-1"), Version{1}, 10,
                           [&](const RecordedEvent& event) {
                               const auto& expected = sent[static_cast<std::size_t>(read++)];
                               EXPECT_EQ(event.payload, expected.writes[0].events[0].payload);
                               return true;
                           });
        EXPECT_EQ(read, written);
        store.verify_chain();
    }
};

TEST_F(AFullDisk, RefusesWhatItHasNoRoomForAndLosesNothing) {
    const PrivateServer server{PrivateServer::OnSmallDisk{.megabytes = 150, .only_the_log = false}};
    const auto store = open_store(server.url("shop"));
    ASSERT_EQ(store->append(append_to("order-1")).kind, Kind::committed);
    // A segment of the log is begun, so that the log is not what lacks room first.
    ask(server, "select pg_switch_wal()");
    ask(server, "checkpoint");
    ASSERT_EQ(store->append(append_to("order-1")).kind, Kind::committed);
    server.disk().fill();
    std::string why;
    std::vector<Append> sent = append_until_full(*store, why);
    EXPECT_THAT(why, testing::HasSubstr("53100")) << "no more room, says the server, and lives";
    EXPECT_LT(sent.size(), 20U);
    const auto written = static_cast<std::int64_t>(sent.size()) - 1;
    EXPECT_EQ(version_of(*store, "cart-1"), written) << "nothing of it is there";
    EXPECT_FALSE(store->find_outcome(sent.back().metadata.command_id));
    server.disk().make_room();
    sent.push_back(large(100));
    expect_each_once(*store, sent);
}

TEST_F(AFullDisk, OfTheLogEndsTheServerAndLosesNothing) {
    PrivateServer server{PrivateServer::OnSmallDisk{.megabytes = 60, .only_the_log = true}};
    const auto store = open_store(server.url("shop"), {.timeout = std::chrono::seconds{2}});
    server.disk().fill();
    std::string why;
    std::vector<Append> sent = append_until_full(*store, why);
    ASSERT_NE(why, "");
    sent.push_back(large(100));
    EXPECT_THROW(static_cast<void>(store->append(sent.back())), Error);
    server.disk().make_room();
    EXPECT_TRUE(eventually([&] {
        try {
            if (!server.running()) server.start();
            return ask(server, "select 1").size() == 1;
        } catch (const std::exception&) {
            return false;
        }
    }));
    expect_each_once(*store, sent);
}

}  // namespace
}  // namespace recount::test
