#include "eventstore/contract/snapshot_contract.hpp"

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

namespace recount::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST_P(SnapshotContract, IsReadTogetherWithTheEventsFromThereOn) {
    deposit_times(25);
    const SnapshotPage found = read();
    ASSERT_TRUE(found.snapshot);
    EXPECT_EQ(found.snapshot->version, Version{20});
    EXPECT_THAT(versions(found.page.events), ElementsAre(20, 21, 22, 23, 24, 25));
    EXPECT_EQ(found.page.events.front().hash, found.snapshot->last_hash);
    EXPECT_EQ(found.page.head, Version{25});
    EXPECT_TRUE(found.page.end);
    EXPECT_FALSE(kept().read_snapshot(account_, "another.Type", Saved::fold, {}).snapshot);
    EXPECT_EQ(kept().read_snapshot(account_, "another.Type", 2, {}).page.events.size(), 25U);
    EXPECT_EQ(read(Saved::fold + 1).page.events.size(), 25U) << "of another stamp";
    EXPECT_EQ(kept().read_snapshot(StreamName{"account", "2"}, "", 2, {}).page.head, Version{0});
}

TEST_P(SnapshotContract, SparesReadingWhatIsInIt) {
    deposit_times(25);
    streams_.reads = streams_.snapshot_reads = 0;
    auto accounts = fresh();
    EXPECT_TRUE(accounts.handle("1", deposit(1)));
    EXPECT_EQ(streams_.reads, 0);
    EXPECT_EQ(streams_.snapshot_reads, 1);
    EXPECT_EQ(streams_.events, 6U);
    EXPECT_EQ(accounts.load("1").state.balance, 26);
    EXPECT_EQ(accounts.load("1").state.deposits, 26);
}

TEST_P(SnapshotContract, LastsAsLongAsTheStore) {
    deposit_times(25);
    const auto before = read().snapshot;
    reopen();
    EXPECT_EQ(read().snapshot, before);
}

TEST_P(SnapshotContract, OfALongStreamIsKeptByWhoReadsIt) {
    add("account-2");  // another's, which Saved cannot read
    Repository<Saved> without{store()};
    for (int i = 0; i < 15; ++i) static_cast<void>(without.handle("1", deposit(1)));
    EXPECT_FALSE(read().snapshot);
    fresh().load("1");
    settle();
    EXPECT_EQ(read().snapshot.value().version, Version{15});
}

TEST_P(SnapshotContract, OfAnotherFoldIsIgnoredAndReplaced) {
    deposit_times(12);
    spoil([](Snapshot& snapshot) { --snapshot.fold; });
    heals("fold", 12);
}

TEST_P(SnapshotContract, ThatCannotBeReadIsIgnoredAndReplaced) {
    deposit_times(12);
    spoil([](Snapshot& snapshot) { snapshot.bytes = "\x0a\x7f"; }, false);
    heals("unreadable", 12);
}

TEST_P(SnapshotContract, OfWhichAnythingWasChangedIsIgnoredAndReplaced) {
    deposit_times(12);
    const Snapshot whole = read().snapshot.value();
    for (std::size_t i = 0; i < whole.bytes.size(); ++i) {
        spoil([&](Snapshot& one) { one.bytes[i] = static_cast<char>(one.bytes[i] ^ 1 << i % 8); },
              false);
        heals("unreadable", 12);
    }
    // Columns beside it, to what fits the stream as well.
    const auto other = store().read_stream(account_, {.from = Version{9}, .max_events = 1}).events;
    spoil([](Snapshot& one) { one.fold = -1; });  // which gives way to one that reaches less far
    spoil(
        [&](Snapshot& one) {
            one.fold = Saved::fold;
            one.version = Version{9};
            one.last = other.front().at.position;
            one.last_event = other.front().at.event_id;
            one.last_hash = other.front().hash;
        },
        false);
    heals("unreadable", 12);
    spoil([](Snapshot& one) { one.fold = -1; });
    spoil([](Snapshot& one) { one.fold = Saved::fold; }, false);
    heals("unreadable", 12);
}

TEST_P(SnapshotContract, OfAnotherHistoryIsIgnoredAndReplaced) {
    deposit_times(12);
    spoil([](Snapshot& snapshot) { snapshot.last_hash = sha256("of another"); });
    heals("history", 12);
}

TEST_P(SnapshotContract, AheadOfItsStreamIsIgnoredAndReplaced) {
    deposit_times(12);
    spoil([](Snapshot& snapshot) { snapshot.version = Version{99}; });
    heals("history", 12);
}

TEST_P(SnapshotContract, BeyondATruncationKeepsTheStateRight) {
    deposit_times(25);
    store().truncate(account_, Version{20});
    EXPECT_EQ(fresh().load("1").state.balance, 25);
    store().truncate(account_, Version{16});
    EXPECT_EQ(fresh().load("1").state.balance, 25);
    EXPECT_THAT([&] { Repository<Saved>{store()}.load("1"); },
                ThrowsMessage<UnreadableEvent>(HasSubstr("no snapshot reaches beyond it")));
}

TEST_P(SnapshotContract, ThatComesLateDoesNotReplaceOneThatHoldsWhatWasTruncated) {
    deposit_times(15);
    const Snapshot early = read().snapshot.value();
    ASSERT_EQ(early.version, Version{10});
    deposit_times(10);
    store().truncate(account_, Version{20});
    kept().keep_snapshot(account_, early);
    settle();
    EXPECT_EQ(read().snapshot.value().version, Version{20});
    EXPECT_EQ(fresh().load("1").state.balance, 25);
}

TEST_P(SnapshotContract, IsGoneOnFromByWhoKnewLessThanWasTruncated) {
    auto reads = fresh(), handles = fresh();
    deposit_times(7);
    EXPECT_EQ(reads.load("1").state.balance, 7);
    EXPECT_EQ(handles.load("1").state.balance, 7);
    deposit_times(18);
    store().truncate(account_, Version{20});
    EXPECT_EQ(reads.load("1").state.balance, 25);
    EXPECT_EQ(handles.handle("1", deposit(1)).version(), Version{26});
    EXPECT_EQ(handles.load("1").state.balance, 26);
    EXPECT_EQ(fresh().load("1").state.balance, 26);
}

TEST_P(SnapshotContract, IsNotReplacedByAStateThatPassedOverWhatWasErased) {
    const RepositoryOptions often{.snapshots = 5};
    Repository<Forgiving> reads{streams_, often}, handles{streams_, often};
    const auto deposit_more = [&](int times) {
        Repository<Forgiving> accounts{streams_, often};
        for (int i = 0; i < times; ++i) ASSERT_TRUE(accounts.handle("1", deposit(10)));
        settle();
    };
    deposit_more(7);
    EXPECT_EQ(reads.load("1").state.balance, 70);
    EXPECT_EQ(handles.load("1").state.balance, 70);
    deposit_more(13);
    store().truncate(account_, Version{20});
    EXPECT_EQ(reads.load("1").state.balance, 200);
    EXPECT_TRUE(handles.handle("1", deposit(10)));
    settle();
    EXPECT_EQ(handles.load("1").state.balance, 210);
    EXPECT_EQ((Repository<Forgiving>{streams_, often}.load("1").state.balance), 210);
}

TEST_P(SnapshotContract, ThatCannotBeReadBackReplacesNone) {
    Repository<Garbled> accounts{streams_, {.snapshots = 10}};
    for (int i = 0; i < 25; ++i) static_cast<void>(accounts.handle("1", deposit(1)));
    settle();
    EXPECT_EQ(streams_.kept, 1);
    const auto there =
        kept().read_snapshot(account_, snapshot_type<Garbled>(), Garbled::fold, {}).snapshot;
    EXPECT_EQ(there.value().version, Version{10});
    EXPECT_EQ((Repository<Garbled>{streams_, {.snapshots = 10}}.load("1").state.balance), 25);
}

TEST_P(SnapshotContract, OfWhatIsErasedIsGone) {
    deposit_times(25);
    store().erase(account_, Version{1}, Version{20});
    EXPECT_FALSE(read().snapshot) << "nothing is left but what was erased";
    EXPECT_THROW(fresh().load("1"), UnreadableEvent);
}

TEST_P(SnapshotContract, StaysWhereNothingIsToBeErased) {
    deposit_times(25);
    store().truncate(account_, Version{20});
    EXPECT_THROW(store().erase(account_, Version{15}, Version{3}), InvalidArgument);
    EXPECT_EQ(store().erase(account_, Version{26}, Version{30}), 0);
    EXPECT_EQ(fresh().load("1").state.balance, 25);
}

TEST_P(SnapshotContract, ThatHoldsOneErasedEventIsGone) {
    deposit_times(25);
    store().erase(account_, Version{22}, Version{22});
    EXPECT_TRUE(read().snapshot);
    store().erase(account_, Version{3}, Version{4});
    EXPECT_FALSE(read().snapshot);
}

TEST_P(SnapshotContract, IsNoMatterToTheCommandWhenItCannotBeKept) {
    streams_.fails = true;
    deposit_times(25);
    EXPECT_EQ(store().read_stream(account_).head, Version{25});
    EXPECT_EQ(fresh().load("1").state.balance, 25);
    EXPECT_FALSE(read().snapshot);
}

TEST_P(SnapshotContract, IsNotKeptUnlessAskedFor) {
    Repository<Saved> accounts{streams_};
    for (int i = 0; i < 25; ++i) static_cast<void>(accounts.handle("1", deposit(1)));
    EXPECT_EQ(streams_.kept + streams_.snapshot_reads, 0);
    EXPECT_THROW((Repository<Account>{store(), {.snapshots = 10}}), InvalidArgument);
}

TEST_P(SnapshotContract, IsKeptOnceForSoManyEvents) {
    const Histogram& timed = store().environment().metrics.histogram(
        "recount_snapshot_duration_seconds", "", {{"category", "account"}});
    const std::uint64_t before = timed.count();
    deposit_times(25);
    EXPECT_EQ(streams_.kept, 2);
    EXPECT_EQ(timed.count(), before + 2);
    EXPECT_EQ(streams_.reads, 2) << "the hash of an event that was appended is read";
}

TEST_P(SnapshotContract, OfAnExtremeSizeIsRefused) {
    EXPECT_THROW(kept().keep_snapshot(account_, {.bytes = std::string(5 << 20, 'x')}),
                 InvalidArgument);
}

TEST_P(SnapshotContract, ThatCameWhileTheStreamWasReadIsGoneOnFromWhereThatIsErased) {
    {
        Repository<Forgiving> accounts{streams_};
        for (int i = 0; i < 12; ++i) ASSERT_TRUE(accounts.handle("1", deposit(10)));
    }
    const RepositoryOptions by_twos{.page = 2, .snapshots = 5};
    streams_.after_snapshot_read = [&] {
        EXPECT_EQ((Repository<Forgiving>{store(), by_twos}.load("1").state.balance), 120);
        settle();
        store().truncate(account_, Version{9});
    };
    EXPECT_EQ((Repository<Forgiving>{streams_, by_twos}.load("1").state.balance), 120);
    settle();
    EXPECT_EQ((Repository<Forgiving>{streams_, by_twos}.load("1").state.balance), 120);
}

/// As when the program before still runs beside the one whose snapshot let the stream be truncated.
TEST_P(SnapshotContract, OfAnotherFoldDoesNotReplaceOneThatHoldsWhatWasTruncated) {
    deposit_times(25);
    Snapshot of_another_fold = read().snapshot.value();
    --of_another_fold.fold;
    of_another_fold.version = Version{25};
    store().truncate(account_, Version{20});
    kept().keep_snapshot(account_, of_another_fold);
    settle();
    EXPECT_EQ(read().snapshot.value().fold, Saved::fold);
    EXPECT_EQ(fresh().load("1").state.balance, 25);
}

TEST_P(SnapshotContract, ThatHoldsWhatWasErasedIsNotReplacedByAFoldWithoutIt) {
    const RepositoryOptions often{.snapshots = 10};
    Repository<Forgiving> accounts{streams_, often};
    for (int i = 0; i < 25; ++i) ASSERT_TRUE(accounts.handle("1", deposit(1)));
    settle();
    const auto stored = [&] {
        return kept().read_snapshot(account_, snapshot_type<Forgiving>(), Forgiving::fold, {});
    };
    Snapshot of_another_fold = stored().snapshot.value();
    --of_another_fold.fold;
    kept().keep_snapshot(account_, of_another_fold);
    settle();
    store().truncate(account_, Version{20});
    EXPECT_THAT(
        [&] {
            (Repository<Forgiving>{streams_, often}.load("1"));
        },
        ThrowsMessage<UnreadableEvent>(
            AllOf(HasSubstr("was made by fold 6"), HasSubstr("up to version 20"))));
    settle();
    EXPECT_EQ(stored().snapshot, of_another_fold);
    store().erase(account_, Version{1}, Version{20});  // as the message says
    EXPECT_EQ((Repository<Forgiving>{streams_, often}.load("1").state.balance), 5);
}

}  // namespace
}  // namespace recount::test
