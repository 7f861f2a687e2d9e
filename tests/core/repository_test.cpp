#include <gtest/gtest.h>

#include <thread>

#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;

class ACommand : public AccountTest {};
class ARepeatedCommand : public AccountTest {};
class AnExpectedVersion : public AccountTest {};

TEST_F(ACommand, AppendsWhatItDecides) {
    const Outcome opened_it = accounts_.handle("1", open("ada"));
    EXPECT_TRUE(opened_it);
    EXPECT_EQ(opened_it.version(), Version{1});
    EXPECT_FALSE(opened_it.repeated());
    EXPECT_TRUE(parse_uuid(opened_it.command_id())) << "an id was made for it";

    Deposit parts;
    for (const int part : {1, 2, 3}) parts.add_parts(part);
    EXPECT_EQ(accounts_.handle("1", parts).version(), Version{4});
    const auto loaded = others_.load("1");
    EXPECT_EQ(loaded.state.owner, "ada");
    EXPECT_EQ(loaded.state.balance, 6);
    EXPECT_EQ(loaded.version, Version{4});
}

TEST_F(ACommand, ThatIsRefusedOrChangesNothingWithoutAnIdLeavesNoTrace) {
    static_cast<void>(accounts_.handle("1", open("ada")));
    const int appends = streams_.appends;
    const Outcome refused = accounts_.handle("1", open("bob"));
    EXPECT_FALSE(refused);
    EXPECT_TRUE(refused.refused());
    EXPECT_EQ(refused.rejection().code, "taken");
    EXPECT_EQ(refused.version(), Version{0});
    const Outcome same = accounts_.handle("1", open("ada"));
    EXPECT_TRUE(same);
    EXPECT_TRUE(same.nothing());
    EXPECT_EQ(streams_.appends, appends);
    EXPECT_FALSE(store_->find_outcome(refused.command_id()));
}

TEST_F(ACommand, CarriesWhatItsCallerSaysIntoTheEvents) {
    const Timestamp when = parse_timestamp("2010-12-01T08:26:00Z");
    const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    static_cast<void>(accounts_.handle("1", open("ada"),
                                       {.command_id = "c-1",
                                        .correlation_id = "correlation",
                                        .causation_id = "causation",
                                        .traceparent = traceparent,
                                        .headers = {{"source", "test"}},
                                        .occurred_at = when}));
    const auto page = store_->read_stream(StreamName{"account", "1"});
    ASSERT_EQ(page.events.size(), 1U);
    const Recorded& at = page.events[0].at;
    EXPECT_EQ(at.append_id, "c-1");
    EXPECT_EQ(at.event_id, event_id("c-1", 0));
    EXPECT_EQ(at.correlation_id, "correlation");
    EXPECT_EQ(at.causation_id, "causation");
    EXPECT_EQ(at.traceparent, traceparent);
    EXPECT_EQ(at.headers.at("source"), "test");
    EXPECT_EQ(at.occurred_at, when);
    EXPECT_EQ(at.recorded_at, world_.now());
    EXPECT_THROW(static_cast<void>(accounts_.handle("1", deposit(1), {.traceparent = "nonsense"})),
                 InvalidArgument);
}

TEST_F(ACommand, ReadsLongStreamsPageByPage) {
    for (int i = 1; i <= 7; ++i) static_cast<void>(accounts_.handle("1", deposit(i)));
    for (const std::size_t page : {1, 2, 3, 7, 8}) {
        Repository<Account> paging{*store_, {.page = page}};
        EXPECT_EQ(paging.load("1").state.balance, 28) << page;
        EXPECT_EQ(paging.load("1").version, Version{7}) << page;
    }
}

TEST_F(ACommand, OnAKnownStateNeedsNoRead) {
    static_cast<void>(accounts_.handle("1", deposit(1)));
    const int reads = streams_.reads;
    static_cast<void>(accounts_.handle("1", deposit(2)));
    static_cast<void>(accounts_.handle("1", deposit(3)));
    EXPECT_EQ(streams_.reads, reads);
    EXPECT_EQ(others_.load("1").state.balance, 6);
}

TEST_F(ACommand, WithoutACacheReadsEachTime) {
    Repository<Account> uncached{streams_, {.cached_states = 0}};
    static_cast<void>(uncached.handle("1", deposit(1)));
    const int reads = streams_.reads;
    static_cast<void>(uncached.handle("1", deposit(2)));
    EXPECT_GT(streams_.reads, reads);
    EXPECT_EQ(streams_.appends, 2);
}

TEST_F(ACommand, IsDecidedAgainWhenAnotherWasFaster) {
    static_cast<void>(accounts_.handle("1", deposit(5)));
    bool once = true;
    streams_.before_append = [&] {
        if (std::exchange(once, false)) static_cast<void>(others_.handle("1", withdraw(3)));
    };
    const Outcome refused = accounts_.handle("1", withdraw(4), {.command_id = "c-1"});
    EXPECT_EQ(refused.rejection().code, "too_little");
    EXPECT_EQ(others_.load("1").state.balance, 2);
    EXPECT_EQ(streams_.appends, 3) << "once on five, once on two";
}

TEST_F(ACommand, IsDecidedAgainOnWhatTheConflictBroughtWithoutAnotherRead) {
    static_cast<void>(accounts_.handle("1", deposit(5)));
    const int reads = streams_.reads;
    const auto before = world_.environment().clock.steady();
    bool once = true;
    streams_.before_append = [&] {
        if (std::exchange(once, false)) static_cast<void>(others_.handle("1", deposit(3)));
    };
    EXPECT_EQ(accounts_.handle("1", withdraw(8), {.command_id = "c-1"}).version(), Version{3});
    EXPECT_EQ(streams_.reads, reads);
    EXPECT_EQ(world_.environment().clock.steady(), before) << "nor does it wait";
    EXPECT_EQ(accounts_.load("1").state.balance, 0);
}

TEST_F(ACommand, OnAnEmptyStreamIsDecidedAgainWithoutAnotherReadToo) {
    accounts_.load("1");
    const int reads = streams_.reads;
    bool once = true;
    streams_.before_append = [&] {
        if (std::exchange(once, false)) static_cast<void>(others_.handle("1", open("ada")));
    };
    EXPECT_EQ(accounts_.handle("1", open("bob"), {.command_id = "c-1"}).rejection().code, "taken");
    EXPECT_EQ(streams_.reads, reads + 1) << "a state of nothing is not kept";
}

TEST_F(ACommand, ReadsOnWhereTheConflictBroughtOnlyAPage) {
    Repository<Account> paging{streams_, {.page = 2}};
    static_cast<void>(paging.handle("1", deposit(1)));
    bool once = true;
    streams_.before_append = [&] {
        if (!std::exchange(once, false)) return;
        for (int i = 0; i < 5; ++i) static_cast<void>(others_.handle("1", deposit(1)));
    };
    EXPECT_TRUE(paging.handle("1", withdraw(6), {.command_id = "c-1"}));
    EXPECT_EQ(others_.load("1").state.balance, 0);
}

TEST_F(ACommand, GivesUpWhenOthersAreAlwaysFaster) {
    streams_.before_append = [&] { static_cast<void>(others_.handle("1", deposit(1))); };
    const auto before = world_.environment().clock.steady();
    try {
        static_cast<void>(accounts_.handle("1", withdraw(0), {.command_id = "c-1"}));
        FAIL();
    } catch (const Contended& error) {
        EXPECT_TRUE(error.retryable());
        EXPECT_NE(std::string{error.what()}.find("account-1"), std::string::npos) << error.what();
    }
    EXPECT_EQ(streams_.appends, RepositoryOptions{}.attempts);
    EXPECT_GT(world_.environment().clock.steady(), before) << "it backs off in between";
    streams_.before_append = nullptr;
    EXPECT_TRUE(accounts_.handle("1", withdraw(0), {.command_id = "c-1"}));
}

TEST_F(ACommand, IsNotLostAmongManyThreads) {
    auto store = open_store("memory:");
    Repository<Account> shared{*store, {.attempts = 1000}};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                Repository<Account> own{*store, {.attempts = 1000}};
                for (int i = 0; i < 25; ++i) {
                    static_cast<void>(shared.handle("1", deposit(1)));
                    static_cast<void>(own.handle("1", deposit(1)));
                }
            });
        }
    }
    EXPECT_EQ(shared.load("1").state.balance, 200);
    EXPECT_EQ(head(*store), Version{200});
}

TEST_F(ACommand, WaitsForItsTurnInsteadOfConflicting) {
    auto store = open_store("memory:");
    Watched watched{*store};
    watched.before_append = [] { std::this_thread::yield(); };
    Repository<Account> shared{watched, {.attempts = 1}};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 50; ++i) EXPECT_TRUE(shared.handle("1", deposit(1)));
            });
        }
    }
    EXPECT_LE(watched.appends, 200) << "one attempt each, and those that wait go together";
    EXPECT_EQ(shared.load("1").state.balance, 200);
}

TEST_F(ARepeatedCommand, GetsItsFirstOutcome) {
    const Outcome first = accounts_.handle("1", deposit(5), {.command_id = "c-1"});
    static_cast<void>(accounts_.handle("1", deposit(7)));
    for (Repository<Account>* repository : {&accounts_, &others_}) {
        const Outcome again = repository->handle("1", deposit(5), {.command_id = "c-1"});
        EXPECT_TRUE(again.repeated());
        EXPECT_EQ(again.details(), first.details());
    }
    EXPECT_EQ(others_.load("1").state.balance, 12);
    static_cast<void>(accounts_.handle("1", deposit(1)));
    EXPECT_EQ(accounts_.load("1").state.balance, 13) << "a repeat leaves the cached state alone";
}

TEST_F(ARepeatedCommand, StaysRefused) {
    EXPECT_TRUE(accounts_.handle("1", withdraw(5), {.command_id = "c-1"}).refused());
    static_cast<void>(accounts_.handle("1", deposit(5)));
    const Outcome again = accounts_.handle("1", withdraw(5), {.command_id = "c-1"});
    EXPECT_TRUE(again.refused());
    EXPECT_TRUE(again.repeated());
    EXPECT_EQ(again.rejection().code, "too_little");
    EXPECT_EQ(accounts_.load("1").state.balance, 5);
}

TEST_F(ARepeatedCommand, StaysNothing) {
    EXPECT_TRUE(accounts_.handle("1", withdraw(0), {.command_id = "c-1"}).nothing());
    static_cast<void>(accounts_.handle("1", deposit(5)));
    EXPECT_TRUE(accounts_.handle("1", withdraw(0), {.command_id = "c-1"}).repeated());
}

TEST_F(ARepeatedCommand, WithOtherContentIsAnError) {
    const CommandOptions id{.command_id = "c-1"};
    static_cast<void>(accounts_.handle("1", deposit(5), id));
    const CommandOptions expecting{.command_id = "c-1", .expected = Version{0}};
    EXPECT_THROW(static_cast<void>(accounts_.handle("1", deposit(6), id)), CommandReused);
    EXPECT_THROW(static_cast<void>(accounts_.handle("2", deposit(5), id)), CommandReused);
    EXPECT_THROW(static_cast<void>(accounts_.handle("1", withdraw(5), id)), CommandReused);
    EXPECT_THROW(static_cast<void>(accounts_.handle("1", deposit(6), expecting)), CommandReused);
    EXPECT_EQ(others_.load("1").state.balance, 5);
}

TEST_F(ARepeatedCommand, HasTheSameContentWhateverTheOrderOfItsMaps) {
    Deposit one = deposit(1), other = deposit(1);
    for (int i = 0; i < 20; ++i) (*one.mutable_notes())[std::to_string(i)] = "x";
    for (int i = 19; i >= 0; --i) (*other.mutable_notes())[std::to_string(i)] = "x";
    static_cast<void>(accounts_.handle("1", one, {.command_id = "c-1"}));
    EXPECT_TRUE(accounts_.handle("1", other, {.command_id = "c-1"}).repeated());
}

TEST_F(ARepeatedCommand, ThatWasVoidedNeverHappens) {
    store_->void_command("c-1");
    const Outcome outcome = accounts_.handle("1", deposit(5), {.command_id = "c-1"});
    EXPECT_FALSE(outcome);
    EXPECT_TRUE(outcome.voided());
    EXPECT_FALSE(outcome.refused());
    EXPECT_EQ(outcome.rejection().code, "voided");
    EXPECT_TRUE(
        accounts_.handle("1", deposit(5), {.command_id = "c-1", .expected = Version{9}}).voided());
    EXPECT_EQ(head(*store_), Version{0});
}

TEST_F(AnExpectedVersion, LetsTheCommandThroughWhenItIsThere) {
    EXPECT_TRUE(accounts_.handle("1", deposit(1), {.expected = Version{0}}));
    EXPECT_TRUE(others_.handle("1", deposit(1), {.expected = Version{1}}));
    EXPECT_TRUE(accounts_.handle("1", deposit(1), {.expected = Version{2}}))
        << "though the cached state is older";
}

TEST_F(AnExpectedVersion, RefusesTheCommandWhenItIsGone) {
    static_cast<void>(accounts_.handle("1", deposit(1)));
    const Outcome refused =
        accounts_.handle("1", deposit(1), {.command_id = "c-1", .expected = Version{0}});
    EXPECT_EQ(refused.rejection().code, "version_changed");
    EXPECT_FALSE(store_->find_outcome("c-1")) << "the command may be right on another version";
    EXPECT_TRUE(accounts_.handle("1", deposit(1), {.command_id = "c-1", .expected = Version{1}}));
}

TEST_F(AnExpectedVersion, RefusesTheCommandWhenItGoesInBetween) {
    static_cast<void>(accounts_.handle("1", deposit(1)));
    bool once = true;
    streams_.before_append = [&] {
        if (std::exchange(once, false)) static_cast<void>(others_.handle("1", deposit(1)));
    };
    EXPECT_EQ(accounts_.handle("1", deposit(1), {.expected = Version{1}}).rejection().code,
              "version_changed");
    EXPECT_EQ(head(*store_), Version{2});
}

TEST_F(AnExpectedVersion, IsNoMatterForARepeat) {
    const CommandOptions options{.command_id = "c-1", .expected = Version{0}};
    static_cast<void>(accounts_.handle("1", deposit(1), options));
    for (Repository<Account>* repository : {&accounts_, &others_}) {
        const Outcome again = repository->handle("1", deposit(1), options);
        EXPECT_TRUE(again && again.repeated());
    }
    EXPECT_EQ(streams_.appends, 2) << "it is for the store to say so";
}

}  // namespace
