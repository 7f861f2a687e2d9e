#include <gtest/gtest.h>

#include "history.hpp"
#include "store_fixture.hpp"

namespace {

using namespace recount;
using namespace recount::test;
using namespace std::string_literals;

/// A stream as programs of three generations left it, byte for byte.
class AnOldStream : public AccountTest {
protected:
    AnOldStream() {
        Append append;
        append.metadata.command_id = "old";
        append.writes.push_back({StreamName{"account", "1"},
                                 Expected::no_stream(),
                                 {{"recount.test.DepositedV1", "\x08\x07"s},          // 7 euros
                                  {"recount.test.DepositedV2", "\x0a\x02\x34\x32"s},  // 42 cents
                                  {"recount.test.Deposited", "\x08\x01"s},            // 1 cent
                                  {"bank.Ended", ""s}}});
        append.request = request_hash(append);
        static_cast<void>(store_->append(append));
    }

    void append_unknown() {
        Append append;
        append.metadata.command_id = "new";
        append.writes.push_back(
            {StreamName{"account", "1"}, Expected::any(), {{"bank.Audited", "\x08\x2a"s}}});
        append.request = request_hash(append);
        static_cast<void>(store_->append(append));
    }

    Repository<OldAccount> old_{*store_};
};

TEST_F(AnOldStream, IsFoldedAsWhatItsEventsBecame) {
    const auto loaded = old_.load("1");
    EXPECT_EQ(loaded.state.account.balance, 743);
    EXPECT_TRUE(loaded.state.account.closed);
    EXPECT_EQ(loaded.state.events, 4);
    EXPECT_EQ(loaded.version, Version{4});
    EXPECT_TRUE(old_.handle("1", deposit(1)));
    EXPECT_EQ(old_.load("1").state.account.balance, 744);
}

TEST_F(AnOldStream, IsReadAsWhatItsEventsBecame) {
    std::int64_t sum = 0;
    for (const RecordedEvent& event : store_->read_stream(StreamName{"account", "1"}).events) {
        const auto current = current_event<OldAccount>(event);
        if (const auto* deposited = std::get_if<Deposited>(&current)) sum += deposited->amount();
    }
    EXPECT_EQ(sum, 743);
}

TEST_F(AnOldStream, IsUnknownToWhoDoesNotListItsTypes) {
    EXPECT_THROW(accounts_.load("1"), UnknownType);
}

TEST_F(AnOldStream, WithATypeThatNobodyKnowsKeepsItsBytes) {
    append_unknown();
    try {
        old_.load("1");
        FAIL();
    } catch (const UnknownType& error) {
        EXPECT_EQ(error.type(), "bank.Audited");
        EXPECT_EQ(error.payload(), "\x08\x2a");
        EXPECT_EQ(error.stream(), (StreamName{"account", "1"}));
        EXPECT_EQ(error.version(), Version{5});
        EXPECT_NE(std::string{error.what()}.find("State::Older"), std::string::npos);
        EXPECT_EQ(std::string{error.what()}.find("\x08\x2a"), std::string::npos);
    }
}

TEST_F(AnOldStream, IsNamedWhereItsBytesAreNotOfTheOldType) {
    Append append;
    append.metadata.command_id = "torn";
    append.writes.push_back(
        {StreamName{"account", "2"}, Expected::any(), {{"recount.test.DepositedV1", "\x0a\x7f"s}}});
    append.request = request_hash(append);
    static_cast<void>(store_->append(append));
    EXPECT_THROW(old_.load("2"), UnreadableEvent);
}

TEST_F(AnOldStream, ThatWasClosedIsFoldedAsBefore) {
    static_cast<void>(store_->close_stream(StreamName{"account", "1"}));
    EXPECT_EQ(old_.load("1").state.account.balance, 743);
    EXPECT_EQ(old_.load("1").version, Version{5});
    EXPECT_THROW(static_cast<void>(old_.handle("1", deposit(1))), StreamClosed);
    store_->erase(StreamName{"account", "1"}, Version{5}, Version{5});
    EXPECT_EQ(Repository<OldAccount>{*store_}.load("1").state.account.balance, 743);
}

}  // namespace
