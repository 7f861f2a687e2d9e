#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Five events of one stream.
class ARestoredStore : public testing::Test {
protected:
    ARestoredStore() : store_(open_store(schema_.url())) {
        seen_ = store_->append(append_to("cart-1", Expected::no_stream(), 5)).outcome->reached;
    }

    void run(const std::string& sql) {
        const auto database = Database::open(schema_.url());
        const auto transaction = database->begin(SqlMode::write);
        transaction->script(sql);
        transaction->commit();
    }

    /// As from a backup that was taken after three of them.
    void lose_two_events() {
        run("delete from event where version > 3; update stream set version = 3;"
            "delete from outcome;"
            "update partition p set position = e.position, hash = e.hash from event e"
            " where e.version = 3 and p.partition = e.partition;");
    }

    OwnSchema schema_;
    std::unique_ptr<EventStore> store_;
    StorePositions seen_;
};

TEST_F(ARestoredStore, TakesNothingOnAnotherServerUntilThatIsDeclared) {
    for (const char* change :
         {"system_identifier = system_identifier - 1", "timeline = timeline + 1"}) {
        store_.reset();
        run(std::string{"update incarnation set "} + change +
            " where number = (select max(number) from incarnation)");
        store_ = open_store(schema_.url());
        const auto refused = ThrowsMessage<Mismatch>(
            AllOf(HasSubstr("timeline"), HasSubstr("recount store declare-restored")));
        EXPECT_THAT(
            [&] { static_cast<void>(store_->append(append_to("cart-1", Expected::any()))); },
            refused);
        EXPECT_THAT([&] { store_->void_command("a"); }, refused);
        EXPECT_EQ(store_->read_stream(StreamName::parse("cart-1")).head.value, 5);

        declare_restored(schema_.url());
        EXPECT_THAT(
            [&] { static_cast<void>(store_->append(append_to("cart-1", Expected::any()))); },
            ThrowsMessage<Mismatch>(HasSubstr("open it again")));
    }
    store_ = open_store(schema_.url());
    EXPECT_EQ(store_->append(append_to("cart-1", Expected::exactly({5}))).kind,
              AppendResult::Kind::committed);
    EXPECT_EQ(store_->incarnations().size(), 3U);
    store_->verify_chain();
}

TEST_F(ARestoredStore, GoesOnInANewIncarnationAndRefusesWhatWasLost) {
    lose_two_events();
    const Uuid parent = store_->identity().incarnation;
    const Incarnation declared = declare_restored(schema_.url());
    store_ = open_store(schema_.url());
    EXPECT_EQ(store_->identity().incarnation, declared.id);
    EXPECT_EQ(declared.parent, parent);
    store_->verify_chain();  // also before anything is behind the fork

    const auto after = store_->append(append_to("cart-1", Expected::exactly({3}), 4));
    ASSERT_EQ(after.kind, AppendResult::Kind::committed);
    EXPECT_TRUE(still_holds(after.outcome->reached, store_->incarnations()));
    EXPECT_FALSE(still_holds(seen_, store_->incarnations()));
    StorePositions earlier = seen_;
    earlier.positions.set({partition_of("cart-1", 16), 3});
    EXPECT_TRUE(still_holds(earlier, store_->incarnations()));
    store_ = open_store(schema_.url());
    store_->verify_chain();
    const ReadLog orders{.filter = {.categories = {"order"}}, .max_scanned = 1};
    for (std::int64_t n = 0; n < 7; ++n) {
        EXPECT_EQ(store_->read(partition_of("cart-1", 16), n, orders).upto, n + 1);
    }
}

TEST_F(ARestoredStore, IsWrittenInNoWayByWhoOpenedItBefore) {
    declare_restored(schema_.url());
    const auto refused = ThrowsMessage<Mismatch>(HasSubstr("open it again"));
    EXPECT_THAT([&] { store_->void_command("a"); }, refused);
    EXPECT_THAT([&] { store_->erase(StreamName::parse("cart-1"), {1}, {1}); }, refused);
    EXPECT_THAT([&] { store_->maintain(); }, refused);
    Append nothing = append_to("cart-1", Expected::any());
    nothing.writes.clear();
    EXPECT_THAT([&] { static_cast<void>(store_->append(nothing)); }, refused);
    EXPECT_EQ(open_store(schema_.url())->read_stream(StreamName::parse("cart-1")).events.size(),
              5U);
}

TEST_F(ARestoredStore, ThatNobodyDeclaredTakesNothingOfWhoSawMore) {
    lose_two_events();
    for (int i = 0; i < 2; ++i) {
        EXPECT_THAT(
            [&] { static_cast<void>(store_->append(append_to("cart-1", Expected::any()))); },
            ThrowsMessage<Divergence>(
                AllOf(HasSubstr("put back to an earlier state"), HasSubstr("declare-restored"))));
    }
    const auto opened = open_store(schema_.url());
    EXPECT_EQ(opened->read_stream(StreamName::parse("cart-1")).head.value, 3);
    opened->verify_chain();
}

}  // namespace
}  // namespace recount::test
