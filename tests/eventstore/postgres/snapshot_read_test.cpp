#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/eventually.hpp"

#include <thread>

namespace recount::test {
namespace {

constexpr std::string_view type = "test.State";
constexpr std::int64_t fold = 1;

class SnapshotRead : public testing::Test {
protected:
    SnapshotRead() { static_cast<void>(store_->append(append_to("cart-1", Expected::any(), 20))); }

    SnapshotStore& kept() { return dynamic_cast<SnapshotStore&>(*store_); }

    void append(const Append& append) { static_cast<void>(store_->append(append)); }
    /// Of the first events of the stream.
    void keep(std::int64_t version) {
        const StreamPage page = store_->read_stream(stream_, {.from = Version{version}});
        const RecordedEvent& last = page.events.front();
        kept().keep_snapshot(stream_, {std::string{type}, fold, Version{version}, last.at.position,
                                       last.at.event_id, last.hash, "a state", page.erasures});
    }

    [[nodiscard]] bool somebody_waits_for(std::string_view table) const {
        const auto database = Database::open(schema_.url());
        return !database->begin(SqlMode::snapshot)
                    ->query(
                        "select 1 from pg_locks join pg_class c on c.oid = relation where not "
                        "granted and c.oid = $1::regclass",
                        table)
                    .empty();
    }

    OwnSchema schema_;
    const std::unique_ptr<EventStore> store_ = open_store(schema_.url());
    const StreamName stream_ = StreamName::parse("cart-1");
};

TEST_F(SnapshotRead, BringsWhatIsBehindItThoughItIsReplacedMeanwhile) {
    keep(5);
    static_cast<void>(kept().read_snapshot(stream_, type, fold, {}));  // statements are prepared
    const auto database = Database::open(schema_.url());
    auto holding = database->begin(SqlMode::write);
    holding->exec("lock table event in access exclusive mode");
    SnapshotPage found;
    std::jthread reader{[&] { found = kept().read_snapshot(stream_, type, fold, {}); }};
    // Whatever it reads of the snapshot must go with what it reads behind it.
    ASSERT_TRUE(eventually([&] { return somebody_waits_for("event"); }));
    const auto replacing = Database::open(schema_.url());
    auto replace = replacing->begin(SqlMode::write);
    replace->exec("update snapshot set version = 15");
    replace->commit();
    holding.reset();
    reader.join();

    ASSERT_TRUE(found.snapshot);
    ASSERT_FALSE(found.page.events.empty());
    EXPECT_EQ(found.page.events.front().at.version, found.snapshot->version);
    EXPECT_EQ(found.page.events.back().at.version, Version{20});
    EXPECT_TRUE(found.page.end);
}

TEST_F(SnapshotRead, SaysWhatHoldsThatWhichWasErasedMeanwhile) {
    static_cast<void>(kept().read_snapshot(stream_, type, fold + 1, {}));  // prepared
    const auto database = Database::open(schema_.url());
    auto erasing = database->begin(SqlMode::write);
    erasing->exec("lock table event in access exclusive mode");
    SnapshotPage found;
    std::jthread reader{[&] { found = kept().read_snapshot(stream_, type, fold + 1, {}); }};
    ASSERT_TRUE(eventually([&] { return somebody_waits_for("event"); }));
    erasing->exec("update event set salt = null, payload = null where version < 10");
    erasing->exec(
        "insert into snapshot values ('cart-1', 'test.State', 1, 10, 0, 10, "
        "repeat('x', 16)::bytea, repeat('x', 32)::bytea, 'a state')");
    erasing->commit();
    reader.join();
    ASSERT_FALSE(found.page.events.empty());
    EXPECT_TRUE(found.page.events.front().erased());
    ASSERT_TRUE(found.snapshot) << "whoever folds what is left would replace it";
    EXPECT_EQ(found.snapshot->version, Version{10});
}

TEST_F(SnapshotRead, EndsWhereThePageIsFull) {
    keep(5);
    const SnapshotPage found = kept().read_snapshot(stream_, type, fold, {.max_events = 4});
    ASSERT_EQ(found.page.events.size(), 4U);
    EXPECT_EQ(found.page.events.front().at.version, Version{5});
    EXPECT_FALSE(found.page.end);
    EXPECT_EQ(found.page.head, Version{20});
    const SnapshotPage small = kept().read_snapshot(stream_, type, fold, {.max_bytes = 1});
    EXPECT_EQ(small.page.events.size(), 1U);
    EXPECT_FALSE(small.page.end);
}

/// A small page is taken whole, what is more or large is left to whoever reads on.
TEST_F(SnapshotRead, EndsBeforeWhatIsTooMuchToBeHeldAtOnce) {
    keep(5);
    append(append_to("cart-1", Expected::any(), 100));
    const SnapshotPage many = kept().read_snapshot(stream_, type, fold, {});
    EXPECT_EQ(many.page.events.size(), 64U);
    EXPECT_EQ(many.page.events.back().at.version, Version{5 + 63});
    EXPECT_FALSE(many.page.end);
    EXPECT_EQ(many.page.head, Version{120});

    const std::string large(20'000, 'x');
    append(append_of({{stream_, Expected::any(), {{"test.Happened", large}}}}));
    append(append_to("cart-1", Expected::any(), 3));
    keep(118);
    const SnapshotPage before = kept().read_snapshot(stream_, type, fold, {});
    ASSERT_TRUE(before.snapshot);
    EXPECT_EQ(before.page.events.size(), 3U);
    EXPECT_FALSE(before.page.end);

    keep(121);
    const SnapshotPage first = kept().read_snapshot(stream_, type, fold, {});
    ASSERT_EQ(first.page.events.size(), 4U);
    EXPECT_EQ(first.page.events.front().payload, large);
    EXPECT_TRUE(first.page.end);
    store_->erase(stream_, Version{121}, Version{121});
    keep(121);
    const SnapshotPage erased = kept().read_snapshot(stream_, type, fold, {});
    ASSERT_EQ(erased.page.events.size(), 4U);
    EXPECT_TRUE(erased.page.events.front().erased());
}

/// An erasure that has begun when a snapshot comes is waited for, and told from what was folded.
TEST_F(SnapshotRead, FindsNoneOfWhoKeepsItBesideAnErasure) {
    const auto database = Database::open(schema_.url());
    auto erasing = database->begin(SqlMode::write);
    erasing->query("select 1 from stream where name = 'cart-1' for update");
    erasing->exec("update stream set erasures = erasures + 1 where name = 'cart-1'");
    std::jthread keeper{[&] { keep(5); }};
    const auto looking = Database::open(schema_.url());
    ASSERT_TRUE(eventually([&] {
        return !looking->begin(SqlMode::snapshot)
                    ->query(
                        "select 1 from pg_stat_activity where wait_event_type = 'Lock' "
                        "and datname = current_database() and query like 'insert into snap%'")
                    .empty();
    }));
    erasing->commit();
    keeper.join();
    EXPECT_FALSE(kept().read_snapshot(stream_, type, fold, {}).snapshot);
}

}  // namespace
}  // namespace recount::test
