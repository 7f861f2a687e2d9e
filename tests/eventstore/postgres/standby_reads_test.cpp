#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/eventstore/newest_heads.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/server_pair.hpp"
#include "projections/world.hpp"
#include "support/tcp_proxy.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using projections::added;
using projections::Carts;
using std::chrono::hours;
using testing::HasSubstr;
using testing::ThrowsMessage;

Append mugs(int count) {
    StreamWrite write{StreamName::parse("cart-1"), Expected::any(), {}};
    for (int i = 0; i < count; ++i) write.events.push_back(new_event(added("mug")));
    return append_of({write});
}

/// Three mugs, and a view that shows them, are on both servers; two more mugs on the primary alone,
/// which goes on.
class StoreOnAStandby : public testing::Test {
protected:
    StoreOnAStandby() {
        seen_there_ = primary_->append(mugs(3)).outcome->reached;
        Projector<Carts>{*primary_}.catch_up();
        ask(pair_.primary(), "checkpoint");  // views do not wait for the disk
        pair_.catch_up();
        pair_.cut_off();
        seen_beyond_ = primary_->append(mugs(2)).outcome->reached;
        store_ = open_store(pair_.standby().url("shop"));
        view_.emplace(*store_);
    }

    static constexpr Duration long_ago = hours{1};
    ServerPair pair_{ServerPair::Commits::do_not_wait};
    std::unique_ptr<EventStore> primary_ = open_store(pair_.url()), store_;
    StorePositions seen_there_, seen_beyond_;
    std::optional<View<Carts>> view_;
};

const auto not_told_here =
    ThrowsMessage<Unavailable>(testing::AllOf(HasSubstr("standby"), HasSubstr("primary")));

TEST_F(StoreOnAStandby, ShowsWhatItHoldsToWhoeverAsksNoMore) {
    const auto row = view_->get("1", eventual());
    EXPECT_EQ(row->items(), 3);
    EXPECT_FALSE(row.stale) << row.why_stale;
    const auto cart_1 = static_cast<std::size_t>(partition_of("cart-1", 16).value);
    EXPECT_EQ(store_->heads().at(cart_1).n, 3);
    EXPECT_EQ(projections::rows<Carts>(*store_), projections::pure_carts(*store_));
}

TEST_F(StoreOnAStandby, ComparesPositionsWithinASession) {
    Session there, beyond;
    there.saw(seen_there_);
    beyond.saw(seen_beyond_);
    EXPECT_EQ(view_->get("1", session(there).fail())->items(), 3);
    EXPECT_THROW(view_->get("1", session(beyond).fail()), NotThereYet);
    EXPECT_TRUE(view_->get("1", session(beyond).serve_stale()).stale);
}

TEST_F(StoreOnAStandby, DoesNotTakeItsHeadsForThePrimarys) {
    EXPECT_THAT([&] { view_->get("1", strong()); }, not_told_here);
    EXPECT_THAT([&] { view_->list({}, strong()); }, not_told_here);
    EXPECT_THAT([&] { view_->get("1", bounded(1000, long_ago)); }, not_told_here);
    EXPECT_THAT([&] { newest_heads(*store_); }, not_told_here);
    EXPECT_EQ(newest_heads(*primary_).heads, primary_->heads());
}

TEST_F(StoreOnAStandby, ServesStaleWithALagThatIsUnknown) {
    for (const Consistency& fresh : {strong(), bounded(1000, long_ago)}) {
        const auto row = view_->get("1", fresh.serve_stale());
        EXPECT_EQ(row->items(), 3);
        EXPECT_TRUE(row.stale);
        EXPECT_THAT(row.why_stale, HasSubstr("standby"));
        EXPECT_FALSE(row.lag.events);
        EXPECT_FALSE(row.lag.time);
    }
}

TEST_F(StoreOnAStandby, IsNotAskedAgainAndAgainToTellWhatIsNew) {
    TcpProxy proxy{port_of(pair_.standby().url("shop"))};
    const auto store = open_store(proxy.url_through(pair_.standby().url("shop")));
    EXPECT_FALSE(store->wait(seen_there_.positions, std::chrono::seconds{4}));
    int listens = 0;
    for (const auto& [text, times] : proxy.statements()) {
        if (text.starts_with("LISTEN") || text.starts_with("listen")) listens += times;
    }
    EXPECT_EQ(listens, 1);
}

TEST_F(StoreOnAStandby, AnswersForItselfOnceItIsPromoted) {
    pair_.fail_over();
    EXPECT_EQ(view_->get("1", strong().fail())->items(), 3);
    EXPECT_FALSE(view_->get("1", bounded(0, Duration{0}).fail()).stale);
}

TEST_F(StoreOnAStandby, IsWaitedForByAViewThatWasFedFromThePrimary) {
    const TemporaryFolder folder;
    const ProjectorOptions elsewhere{.views = "sqlite:" + folder.file("x.db"),
                                     .patience = std::chrono::milliseconds{1}};
    Projector<Carts>{*primary_, elsewhere}.catch_up();
    Projector<Carts> projector{*store_, elsewhere};
    EXPECT_THAT([&] { projector.catch_up(); }, ThrowsMessage<Unavailable>(HasSubstr("it waits")));
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    pair_.reconnect();
    pair_.catch_up();
    projector.catch_up();
}

}  // namespace
}  // namespace recount::test
