#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"
#include "support/tcp_proxy.hpp"

#include <thread>

namespace recount::test {
namespace {

using Harm = TcpProxy::Harm;
using Kind = AppendResult::Kind;

/// A store that is reached through a proxy that does harm, and straight, to see what is there.
class StoreBehindAFault : public testing::Test {
protected:
    StoreBehindAFault()
        : proxy_(port_of(postgres_url())),
          straight_(open_store(schema_.url())),
          store_(
              open_store(proxy_.url_through(schema_.url()), {.timeout = std::chrono::seconds{1}})) {
        // The second append to a stream is written on what was learnt by the first.
        static_cast<void>(store_->append(append_to("cart-known")));
    }

    /// The store behind the proxy finds that another writes to the partition it knows.
    void meet_others() {
        const auto known = partition_of(StreamName::parse("cart-known"), 16);
        const std::string neighbour = stream_in(known, 16, "cart-known");
        static_cast<void>(straight_->append(append_to(neighbour)));
        static_cast<void>(store_->append(append_to(neighbour)));
        // So that the event does not come where it was expected.
        static_cast<void>(straight_->append(append_to(neighbour)));
    }

    void cut_all() {
        proxy_.cut_all();
        ASSERT_TRUE(eventually([&] { return proxy_.cut(); }));
    }

    void expect_once(const Append& append, std::int64_t version) {
        const auto& stream = append.writes.front().stream;
        EXPECT_EQ(version_of(*straight_, stream.full()), version);
        const auto outcome = straight_->find_outcome(append.metadata.command_id);
        ASSERT_TRUE(outcome);
        EXPECT_EQ(outcome->streams.front().last.value, version);
        straight_->verify_chain();
    }

    OwnSchema schema_;
    TcpProxy proxy_;
    std::unique_ptr<EventStore> straight_, store_;
};

/// Where an append can be hit: by the one statement on what is known, or in its transaction.
struct Point {
    std::string name;
    std::string stream;
    std::string sql;
    Harm harm;
    bool may_be_old = false;  // the command, so that it looks for its outcome before it writes
    bool shared = false;      // others write to the partition, and the server places the event
};

std::ostream& operator<<(std::ostream& out, const Point& point) { return out << point.name; }

Append append_at(const Point& point) {
    Append append =
        append_to(point.stream, point.shared ? Expected::exactly(Version{1}) : Expected::any());
    if (point.may_be_old) append.metadata.command_id = "018c2b6e-0000-7000-8000-000000000001";
    append.request = request_hash(append);
    return append;
}

class AppendHitAtAnyStatement : public StoreBehindAFault,
                                public testing::WithParamInterface<Point> {
protected:
    void SetUp() override {
        if (GetParam().shared) meet_others();
    }
};

TEST_P(AppendHitAtAnyStatement, HappensOnceAndSaysSo) {
    const Append append = append_at(GetParam());
    proxy_.harm(GetParam().sql, GetParam().harm);
    const AppendResult result = store_->append(append);
    EXPECT_EQ(proxy_.harmed(), 1);
    EXPECT_EQ(result.kind, Kind::committed) << "it was sent once, whatever became of its answer";
    expect_once(append, GetParam().stream == "cart-known" ? 2 : 1);
    EXPECT_EQ(store_->append(append).kind, Kind::repeated);
}

TEST_P(AppendHitAtAnyStatement, IsNeverSaidToHaveFailedWhileItMayHaveHappened) {
    const Append append = append_at(GetParam());
    proxy_.harm(GetParam().sql, GetParam().harm);
    proxy_.refuse(true);
    bool unknown = false;
    try {
        static_cast<void>(store_->append(append));
        ADD_FAILURE() << "nobody can have known that it was committed";
    } catch (const OutcomeUnknown&) {
        unknown = true;
    } catch (const Unavailable&) {
    }
    const bool happened = straight_->find_outcome(append.metadata.command_id).has_value();
    EXPECT_TRUE(unknown || !happened);
    const std::int64_t before = GetParam().stream == "cart-known" ? 1 : 0;
    EXPECT_EQ(version_of(*straight_, GetParam().stream), before + (happened ? 1 : 0));
    straight_->verify_chain();

    proxy_.refuse(false);
    EXPECT_EQ(store_->append(append).kind, happened ? Kind::repeated : Kind::committed);
    expect_once(append, before + 1);
}

std::vector<Point> points() {
    std::vector<Point> points{
        {"BeforeTheOneStatement", "cart-known", "stream_moved", Harm::cut_before},
        {"AfterTheOneStatement", "cart-known", "stream_moved", Harm::cut_reply},
        {"HalfClosedAtTheOneStatement", "cart-known", "stream_moved", Harm::half_close},
        {"SilentAfterTheOneStatement", "cart-known", "stream_moved", Harm::swallow_reply},
    };
    for (const auto& [name, harm] :
         {std::pair{"Before", Harm::cut_before}, std::pair{"After", Harm::cut_reply},
          std::pair{"HalfClosedAt", Harm::half_close},
          std::pair{"SilentAfter", Harm::swallow_reply}}) {
        points.push_back({std::string{name} + "TheOneBehindOthers", "cart-known", "int8send", harm,
                          false, true});
    }
    for (const auto& [name, sql] :
         {std::pair{"Begin", "begin"}, std::pair{"Lock", "from partition"},
          std::pair{"Streams", "from stream"}, std::pair{"Outcomes", "from outcome"},
          std::pair{"Horizon", "from store"}, std::pair{"Write", "stream_moved"},
          std::pair{"Commit", "commit"}}) {
        const bool old = std::string_view{name} == "Outcomes";
        points.push_back({std::string{"Before"} + name, "cart-new", sql, Harm::cut_before, old});
        points.push_back({std::string{"After"} + name, "cart-new", sql, Harm::cut_reply, old});
    }
    return points;
}

std::string point_name(const testing::TestParamInfo<Point>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Connections, AppendHitAtAnyStatement, testing::ValuesIn(points()),
                         point_name);

TEST_F(StoreBehindAFault, LeavesTheOutcomeOpenWhenTheStoreWasDeclaredRestoredMeanwhile) {
    const Append append = append_to("cart-known");
    proxy_.harm("stream_moved", Harm::cut_reply);
    proxy_.refuse(true);
    std::jthread restore{[this] {
        ASSERT_TRUE(eventually([&] { return proxy_.harmed() == 1 && proxy_.cut(); }));
        const auto database = Database::open(schema_.url());
        const auto declare = database->begin(SqlMode::write);
        declare->script("update partition set incarnation = 2");
        declare->commit();
        proxy_.refuse(false);
    }};
    EXPECT_THROW(static_cast<void>(store_->append(append)), OutcomeUnknown);
}

TEST_F(StoreBehindAFault, GivesEachOfAGroupItsVerdict) {
    const std::vector<Append> group{append_to("cart-known", Expected::exactly(Version{1})),
                                    append_to("cart-known", Expected::exactly(Version{1})),
                                    append_to("cart-other", Expected::no_stream())};
    proxy_.harm("commit", Harm::cut_reply);
    const auto results = store_->append(group);
    EXPECT_EQ(results[0].kind, Kind::committed);
    EXPECT_EQ(results[1].kind, Kind::conflict);
    EXPECT_EQ(results[2].kind, Kind::committed);
    EXPECT_EQ(version_of(*straight_, "cart-known"), 2);
    EXPECT_EQ(version_of(*straight_, "cart-other"), 1);
}

TEST_F(StoreBehindAFault, VoidsACommandThoughTheAnswerIsLost) {
    proxy_.harm("insert into outcome", Harm::cut_reply);
    EXPECT_EQ(store_->void_command("command-1").kind, CommandOutcome::Kind::voided);
    EXPECT_EQ(proxy_.harmed(), 1);
    EXPECT_EQ(straight_->void_command("command-1").kind, CommandOutcome::Kind::voided);
}

TEST_F(StoreBehindAFault, GoesOnWhenAllItsConnectionsWereCut) {
    cut_all();
    EXPECT_EQ(store_->append(append_to("cart-known")).kind, Kind::committed);
    cut_all();
    EXPECT_EQ(version_of(*store_, "cart-known"), 2);
}

TEST_F(StoreBehindAFault, IsUnavailableWhileItCannotBeReached) {
    proxy_.refuse(true);
    cut_all();
    EXPECT_THROW(static_cast<void>(store_->append(append_to("cart-known"))), Unavailable);
    EXPECT_THROW(store_->heads(), Unavailable);
    proxy_.refuse(false);
    EXPECT_EQ(store_->append(append_to("cart-known")).kind, Kind::committed);
    EXPECT_EQ(version_of(*straight_, "cart-known"), 2);
}

TEST_F(StoreBehindAFault, ReadsAndWritesByteByByte) {
    proxy_.chop(true);
    const Append append = append_to("cart-known", Expected::any(), 20);
    EXPECT_EQ(store_->append(append).kind, Kind::committed);
    EXPECT_EQ(store_->read_stream(StreamName::parse("cart-known")).events.size(), 21);
}

}  // namespace
}  // namespace recount::test
