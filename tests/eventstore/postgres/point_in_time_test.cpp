#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/eventstore/postgres.hpp>
#include <recount/projections.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/server_pair.hpp"
#include "projections/world.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using projections::added;
using projections::Carts;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Kind = AppendResult::Kind;

const Partition cart_1 = partition_of("cart-1", 16);

Append mugs(int count) {
    StreamWrite write{StreamName::parse("cart-1"), Expected::any(), {}};
    for (int i = 0; i < count; ++i) write.events.push_back(new_event(added("mug")));
    return append_of({std::move(write)});
}

/// Three mugs are in the base backup, one more in the archive, and two came after the point that
/// the server is brought back to, as somebody has dropped a table since.
class AStoreRestoredToAPointInTime : public testing::Test {
protected:
    AStoreRestoredToAPointInTime() {
        seen_before_ = store_->append(backed_up_).outcome->reached;
        server_.back_up();
        static_cast<void>(store_->append(archived_));
        server_.note_point("before");
        seen_after_ = store_->append(lost_).outcome->reached;
        Projector<Carts>{*store_, {.views = views_}}.catch_up();
        server_.restore_to("before");
    }

    PrivateServer server_{PrivateServer::Archiving{}};
    TemporaryFolder folder_;
    std::string url_ = server_.url("shop"), views_ = "sqlite:" + folder_.file("views.db");
    std::unique_ptr<EventStore> store_ = open_store(url_);
    Append backed_up_ = mugs(3), archived_ = mugs(1), lost_ = mugs(2);
    StorePositions seen_before_, seen_after_;
};

TEST_F(AStoreRestoredToAPointInTime, TakesNothingUntilThatIsDeclared) {
    const auto undeclared =
        ThrowsMessage<Mismatch>(AllOf(HasSubstr("timeline"), HasSubstr("declare-restored")));
    EXPECT_THAT([&] { static_cast<void>(store_->append(mugs(1))); }, undeclared);
    const auto opened_anew = open_store(url_);
    EXPECT_THAT([&] { static_cast<void>(opened_anew->append(mugs(1))); }, undeclared);
    EXPECT_THAT([&] { opened_anew->void_command("of-somebody"); }, undeclared);
    EXPECT_EQ(version_of(*opened_anew, "cart-1"), 4);
    EXPECT_TRUE(opened_anew->find_outcome(archived_.metadata.command_id));
    EXPECT_FALSE(opened_anew->find_outcome(lost_.metadata.command_id));
    EXPECT_THROW(opened_anew->read(cart_1, 6), Divergence);
    opened_anew->verify_chain();
}

TEST_F(AStoreRestoredToAPointInTime, GoesOnOnceThatIsDeclared) {
    const Incarnation declared = declare_restored(url_);
    EXPECT_EQ(declared.forks.at(static_cast<std::size_t>(cart_1.value)).n, 4);
    const auto store = open_store(url_);
    EXPECT_EQ(store->append(backed_up_).kind, Kind::repeated);
    EXPECT_EQ(store->append(archived_).kind, Kind::repeated);
    EXPECT_EQ(store->append(lost_).kind, Kind::committed);
    EXPECT_EQ(store->append(lost_).kind, Kind::repeated);
    EXPECT_EQ(version_of(*store, "cart-1"), 6);
    store->verify_chain();
}

TEST_F(AStoreRestoredToAPointInTime, IsToldFromItsLostBranchByWhoSawThat) {
    declare_restored(url_);
    const auto store = open_store(url_);
    EXPECT_TRUE(still_holds(seen_before_, store->incarnations()));
    EXPECT_FALSE(still_holds(seen_after_, store->incarnations()));
    // The views stand elsewhere, and were not restored: they show what was lost.
    Projector<Carts> beyond{*store, {.views = views_}};
    EXPECT_THROW(beyond.catch_up(), Divergence);
    Projector<Carts>{*store}.catch_up();
    View<Carts> view{*store};
    Session before, after;
    before.saw(seen_before_);
    after.saw(seen_after_);
    EXPECT_EQ(view.get("1", session(before))->items(), 4);
    EXPECT_THAT([&] { auto row = view.get("1", session(after)); },
                ThrowsMessage<Divergence>(HasSubstr("begin a new session")));
}

}  // namespace
}  // namespace recount::test
