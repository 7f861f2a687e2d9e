#include "eventstore/contract/snapshot_contract.hpp"

namespace recount::test {
namespace {

TEST_P(ErasureContract, IsNotUndoneByTheSnapshotOfWhoHasReadWhatWasErased) {
    Accounts reader{streams_, often};
    deposit_into(reader, 7);
    ASSERT_EQ(stored().value().version, Version{5});
    EXPECT_EQ(store().erase(account_, Version{2}, Version{3}), 2);
    EXPECT_FALSE(stored());
    const int before = streams_.kept;
    deposit_into(reader, 5);  // from the states that it keeps, and it hands one over
    EXPECT_GT(streams_.kept, before);
    EXPECT_FALSE(stored());
    EXPECT_EQ(balance_for_a_new_process(), 100);
    reopen();
    EXPECT_EQ(balance_for_a_new_process(), 100);
}

TEST_P(ErasureContract, TakesWithItSnapshotsThatReachBeyondAtTheBeginningToo) {
    Accounts accounts{streams_, often};
    deposit_into(accounts, 12);
    ASSERT_EQ(stored().value().version, Version{10});
    EXPECT_EQ(store().erase(account_, Version{1}, Version{2}), 2);
    EXPECT_FALSE(stored());
    EXPECT_EQ(balance_for_a_new_process(), 100);
    EXPECT_EQ(stored().value().version, Version{12}) << "one without them may be kept";
}

TEST_P(ErasureContract, IsSeenByWhoReadsTheStreamAgain) {
    Accounts with{streams_, often}, without{streams_};
    for (Accounts* accounts : {&with, &without}) deposit_into(*accounts, 3);
    EXPECT_EQ(with.load("1").state.balance, 60);
    EXPECT_EQ(without.load("1").state.balance, 60);
    store().erase(account_, Version{1}, Version{1});
    EXPECT_EQ(with.load("1").state.balance, 50);
    EXPECT_EQ(without.load("1").state.balance, 50);
    streams_.reads = 0;
    EXPECT_EQ(with.load("1").state.balance, 50);
    EXPECT_EQ(streams_.reads, 1) << "what was folded since is gone on from";
}

TEST_P(ErasureContract, IsSeenByWhoMeetsAConflict) {
    Accounts late{streams_, often}, other{store()};
    deposit_into(late, 3);
    store().erase(account_, Version{1}, Version{1});
    deposit_into(other, 1);
    deposit_into(late, 1);
    EXPECT_EQ(stored().value().version, Version{5}) << "it was folded anew, and may be kept";
    EXPECT_EQ(balance_for_a_new_process(), 40);
}

TEST_P(ErasureContract, OfOneStreamDoesNotConcernAnother) {
    Accounts accounts{streams_, often};
    deposit_into(accounts, 4);
    add("account-2", 3);
    store().erase(StreamName{"account", "2"}, Version{1}, Version{3});
    deposit_into(accounts, 1);
    EXPECT_EQ(stored().value().version, Version{5});
}

TEST_P(ErasureContract, IsToldWithWhatIsReadBehindIt) {
    const auto everything = [](const RecordedEvent&) { return true; };
    deposit_times(12);
    EXPECT_EQ(store().read_stream(account_).erasures, 0);
    EXPECT_EQ(store().visit_stream(account_, Version{1}, 5, everything), 0);
    store().erase(account_, Version{11}, Version{11});
    store().truncate(account_, Version{3});
    reopen();
    EXPECT_EQ(store().read_stream(account_).erasures, 1) << "truncating erases nobody";
    EXPECT_EQ(read().page.erasures, 1);
    EXPECT_EQ(store().visit_stream(account_, Version{1}, 5, everything), 1);
    EXPECT_EQ(store().visit_stream(account_, Version{13}, 5, everything), 1);
}

}  // namespace
}  // namespace recount::test
