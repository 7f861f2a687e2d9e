#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/eventstore/postgres.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>
#include <pqxx/pqxx>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/server_pair.hpp"
#include "projections/world.hpp"

namespace recount::test {
namespace {

using projections::added;
using projections::Carts;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Kind = AppendResult::Kind;

const Partition cart_1 = partition_of("cart-1", 16);

StreamWrite mugs_for(const std::string& stream, int count, Expected expected = Expected::any()) {
    StreamWrite write{StreamName::parse(stream), expected, {}};
    for (int i = 0; i < count; ++i) write.events.push_back(new_event(added("mug")));
    return write;
}

Append mugs(int count, Expected expected = Expected::any()) {
    return append_of({mugs_for("cart-1", count, expected)});
}

ImportSource one_mug_for(const std::string& stream) {
    return [stream, given = false]() mutable -> std::optional<ImportedEvent> {
        if (std::exchange(given, true)) return {};
        return ImportedEvent{StreamName::parse(stream), new_event(added("mug"))};
    };
}

/// Of all tables of the store.
std::string contents(const PrivateServer& server) {
    std::string all;
    for (const char* table : {"store", "incarnation", "fork", "partition", "schema", "stream",
                              "event", "outcome", "lease", "snapshot"}) {
        all += ask(server,
                   std::string{"select coalesce(md5(string_agg(t::text, ',' order by t::text)), "
                               "'') from shop."} +
                       table + " t")[0][0]
                   .as<std::string>() +
               " ";
    }
    return all;
}

/// Three mugs were on both servers and two more on the primary alone when it died; the standby has
/// taken its place.
class StandbyThatLagged : public testing::Test {
protected:
    StandbyThatLagged() {
        seen_before_ = store_->append(kept_).outcome->reached;
        leases_->acquire("worker", std::array{Partition{0}});
        pair_.catch_up();
        pair_.cut_off();
        seen_after_ = store_->append(lost_).outcome->reached;
        pair_.fail_over();
    }

    [[nodiscard]] PrivateServer& promoted() { return pair_.standby(); }

    ServerPair pair_{ServerPair::Commits::do_not_wait};
    std::string url_ = pair_.url();
    std::unique_ptr<EventStore> store_ = open_store(url_);
    std::unique_ptr<Leases> leases_ = Leases::open(url_);
    Append kept_ = mugs(3, Expected::no_stream()), lost_ = mugs(2);
    StorePositions seen_before_, seen_after_;
};

const auto undeclared =
    ThrowsMessage<Mismatch>(AllOf(HasSubstr("timeline"), HasSubstr("declare-restored")));
const auto declared_since = ThrowsMessage<Mismatch>(HasSubstr("open it again"));

void expect_takes_nothing(EventStore& store) {
    EXPECT_THAT([&] { static_cast<void>(store.append(mugs(1))); }, undeclared);
    EXPECT_THAT([&] { static_cast<void>(store.append(mugs(1, Expected::exactly({3})))); },
                undeclared);
    EXPECT_THAT([&] { static_cast<void>(store.append(append_to("cart-1"))); },
                undeclared);  // a type it does not know
    const Append several = append_of({mugs_for("cart-1", 1), mugs_for("cart-3", 1)});
    EXPECT_THAT([&] { static_cast<void>(store.append(several)); }, undeclared);
    EXPECT_THAT([&] { static_cast<void>(store.close_stream(StreamName::parse("cart-1"))); },
                undeclared);
    EXPECT_THAT([&] { store.void_command("of-somebody"); }, undeclared);
    EXPECT_THAT([&] { auto done = import_events(store, {.id = "file"}, one_mug_for("cart-2")); },
                undeclared);
    EXPECT_THAT([&] { store.erase(StreamName::parse("cart-1"), Version{1}, Version{1}); },
                undeclared);
    EXPECT_THAT([&] { store.maintain(); }, undeclared);
}

TEST_F(StandbyThatLagged, TakesNothingUntilThatIsDeclared) {
    const std::string before = contents(promoted());
    EXPECT_THAT(store_->identity().name,
                HasSubstr(fmt::format("/127.0.0.1:{},127.0.0.1:{}/", pair_.primary().port(),
                                      promoted().port())));
    expect_takes_nothing(*store_);
    const auto opened_anew = open_store(url_);
    expect_takes_nothing(*opened_anew);
    EXPECT_THAT([&] { leases_->acquire("other", std::array{Partition{0}}); }, undeclared);
    EXPECT_THAT([&] { leases_->renew(*store_); }, undeclared);
    pqxx::connection connection{promoted().database()};
    pqxx::work work{connection};
    EXPECT_THAT([&] { auto done = append_and_commit(work, *store_, mugs(1)); }, undeclared);
    EXPECT_EQ(contents(promoted()), before);

    // Who reads sees an earlier state, and is told when he saw a later one.
    EXPECT_EQ(version_of(*store_, "cart-1"), 3);
    EXPECT_FALSE(store_->find_outcome(lost_.metadata.command_id));
    EXPECT_EQ(store_->read(cart_1, 0).events.size(), 3U);
    EXPECT_THROW(store_->read(cart_1, 5), Divergence);
    store_->verify_chain();
}

TEST_F(StandbyThatLagged, LetsNobodyWaitInVainForWhatWasLost) {
    Positions seen{16};
    seen.set({cart_1, 3});
    for (int round = 0; round < 3; ++round) {
        EXPECT_FALSE(store_->wait(seen, std::chrono::milliseconds{50}));
    }
}

TEST_F(StandbyThatLagged, GoesOnOnceThatIsDeclared) {
    const Incarnation declared = declare_restored(url_);
    EXPECT_EQ(declared.forks.at(static_cast<std::size_t>(cart_1.value)).n, 3);
    EXPECT_THAT([&] { static_cast<void>(store_->append(mugs(1))); }, declared_since);
    EXPECT_THAT([&] { store_->void_command("of-somebody"); }, declared_since);

    const auto store = open_store(url_);
    EXPECT_EQ(store->append(kept_).kind, Kind::repeated);
    EXPECT_EQ(store->append(lost_).kind, Kind::committed);
    EXPECT_EQ(store->append(lost_).kind, Kind::repeated);
    EXPECT_EQ(store->append(mugs(1, Expected::exactly({5}))).kind, Kind::committed);
    EXPECT_EQ(version_of(*store, "cart-1"), 6);
    store->verify_chain();
    EXPECT_EQ(leases_->acquire("worker", std::array{Partition{0}}).size(), 1U);
    EXPECT_THAT([&] { store_->read(cart_1, 0); },
                ThrowsMessage<Divergence>(HasSubstr("open it again")));
}

TEST_F(StandbyThatLagged, RefusesWhoSawWhatWasLost) {
    declare_restored(url_);
    const auto store = open_store(url_);
    static_cast<void>(store->append(lost_));
    EXPECT_TRUE(still_holds(seen_before_, store->incarnations()));
    EXPECT_FALSE(still_holds(seen_after_, store->incarnations()));

    Projector<Carts>{*store}.catch_up();
    View<Carts> view{*store};
    Session before, after;
    before.saw(seen_before_);
    after.saw(seen_after_);
    EXPECT_EQ(view.get("1", session(before))->items(), 5);
    EXPECT_THAT([&] { auto row = view.get("1", session(after)); },
                ThrowsMessage<Divergence>(AllOf(HasSubstr("restored to an earlier state"),
                                                HasSubstr("begin a new session"))));
}

/// It cannot be fenced from here; what it writes is another branch, and known as such where the
/// two meet.
class PrimaryThatComesBack : public StandbyThatLagged {
protected:
    PrimaryThatComesBack() {
        declare_restored(url_);
        leases_.reset();  // it would be renewed wherever its connection leads
        living_ = open_store(url_);
        static_cast<void>(living_->append(mugs(1)));
        pair_.primary().start();
        left_behind_ = open_store(pair_.primary().url("shop"));
    }
    /// Connections of the program that is on the living branch now end at the other.
    void lead_astray() { promoted().stop_immediately(); }

    std::unique_ptr<EventStore> living_, left_behind_;
};

TEST_F(PrimaryThatComesBack, GoesOnUnnoticedByWhoKnowsNothingElse) {
    EXPECT_EQ(left_behind_->append(mugs(1, Expected::exactly({5}))).kind, Kind::committed);
    EXPECT_EQ(store_->append(mugs(1, Expected::exactly({6}))).kind, Kind::committed);
    left_behind_->verify_chain();
    living_->verify_chain();
    EXPECT_EQ(version_of(*left_behind_, "cart-1"), 7);
    EXPECT_EQ(version_of(*living_, "cart-1"), 4);
}

TEST_F(PrimaryThatComesBack, WritesWhatTheOtherRefuses) {
    const StorePositions seen = left_behind_->append(mugs(1)).outcome->reached;
    EXPECT_FALSE(still_holds(seen, living_->incarnations()));
    static_cast<void>(living_->append(mugs(4)));
    EXPECT_FALSE(still_holds(seen, living_->incarnations()));
    EXPECT_TRUE(still_holds(seen_before_, living_->incarnations()));
    const StorePositions here = living_->append(mugs(1)).outcome->reached;
    EXPECT_FALSE(still_holds(here, left_behind_->incarnations()));
}

TEST_F(PrimaryThatComesBack, TakesNothingFromWhoIsOnTheLivingBranch) {
    const std::string before = contents(pair_.primary());
    pqxx::connection connection{pair_.primary().database()};
    pqxx::work work{connection};
    EXPECT_THAT([&] { auto done = append_and_commit(work, *living_, mugs(1)); }, declared_since);
    lead_astray();
    EXPECT_THAT([&] { static_cast<void>(living_->append(mugs(1))); }, declared_since);
    EXPECT_THAT([&] { living_->void_command("of-somebody"); }, declared_since);
    EXPECT_EQ(contents(pair_.primary()), before);
    EXPECT_THAT([&] { living_->read(cart_1, 0); },
                ThrowsMessage<Divergence>(HasSubstr("left behind by a failover")));
}

TEST_F(PrimaryThatComesBack, TakesNothingFromThereAlthoughItWasDeclaredRestoredItself) {
    declare_restored(pair_.primary().url("shop"));
    const std::string before = contents(pair_.primary());
    // Of as many incarnations, and a partition that ends alike on both.
    const std::string untouched = stream_in(Partition{cart_1.value == 0 ? 1 : 0});
    const Append alike = append_of({mugs_for(untouched, 1)});
    pqxx::connection connection{pair_.primary().database()};
    pqxx::work work{connection};
    EXPECT_THAT([&] { auto done = append_and_commit(work, *living_, alike); }, declared_since);
    lead_astray();
    EXPECT_THAT([&] { static_cast<void>(living_->append(alike)); }, declared_since);
    EXPECT_EQ(contents(pair_.primary()), before);
    open_store(pair_.primary().url("shop"))->verify_chain();
}

TEST(ProgramConnectedToAStandby, WritesNothingWhenItIsPromotedUntilThatIsDeclared) {
    ServerPair pair{ServerPair::Commits::do_not_wait};
    static_cast<void>(open_store(pair.url())->append(mugs(2)));
    pair.catch_up();
    const auto store = open_store(pair.standby().url("shop"));
    EXPECT_EQ(version_of(*store, "cart-1"), 2);
    const auto read_only = ThrowsMessage<Error>(HasSubstr("connect to the primary"));
    EXPECT_THAT([&] { static_cast<void>(store->append(mugs(1))); }, read_only);
    EXPECT_THAT([&] { store->void_command("of-somebody"); }, read_only);
    pair.fail_over();
    EXPECT_THAT([&] { static_cast<void>(store->append(mugs(1))); }, undeclared);
    EXPECT_THAT([&] { store->void_command("of-somebody"); }, undeclared);
    EXPECT_EQ(version_of(*store, "cart-1"), 2);
}

}  // namespace
}  // namespace recount::test
