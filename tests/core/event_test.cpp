#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/core/fold.hpp>

#include <gtest/gtest.h>

#include "account.hpp"

namespace {

using namespace recount;
using namespace recount::test;

RecordedEvent recorded(const google::protobuf::Message& message) {
    const NewEvent event = new_event(message);
    RecordedEvent recorded;
    recorded.at.stream = StreamName{"account", "1"};
    recorded.at.version = Version{1};
    recorded.at.type = event.type;
    recorded.payload = event.payload;
    return recorded;
}

Nested nested(int depth) {
    Nested message;
    for (int i = 1; i < depth; ++i) {
        Nested outer;
        *outer.mutable_inner() = std::move(message);
        message = std::move(outer);
    }
    return message;
}

TEST(ANewEvent, HasTheSameBytesWhateverTheOrderOfItsMap) {
    Deposited one, other;
    for (int i = 0; i < 50; ++i) (*one.mutable_notes())[std::to_string(i)] = "x";
    for (int i = 49; i >= 0; --i) (*other.mutable_notes())[std::to_string(i)] = "x";
    EXPECT_EQ(new_event(one).payload, new_event(other).payload);
    EXPECT_EQ(new_event(one).type, "recount.test.Deposited");
    EXPECT_EQ(new_event(one).encoding, "plain");
}

TEST(ANewEvent, ThatNobodyCouldReadAgainIsRefused) {
    EXPECT_THROW(new_event(opened("\xff")), InvalidArgument);
    EXPECT_NO_THROW(new_event(nested(32)));
    EXPECT_THROW(new_event(nested(40)), InvalidArgument);
}

TEST(ARecordedEvent, IsReadAsItsType) {
    EXPECT_EQ(parse_as<Deposited>(recorded(deposited(5))).amount(), 5);
    EXPECT_EQ(parse_as<Nested>(recorded(nested(32))).ByteSizeLong(), nested(32).ByteSizeLong());
}

TEST(ARecordedEvent, IsNotReadAsAnything) {
    RecordedEvent event = recorded(deposited(5));
    EXPECT_THROW(parse_as<Opened>(event), UnreadableEvent) << "another type";
    event.at.encoding = "sealed:key-1";
    EXPECT_THROW(parse_as<Deposited>(event), UnreadableEvent) << "sealed";
    event.at.encoding = "plain";
    event.payload = "\x08";
    EXPECT_THROW(parse_as<Deposited>(event), UnreadableEvent) << "cut short";
    event.payload = "\x0c";
    EXPECT_THROW(parse_as<Deposited>(event), UnreadableEvent) << "a group's end";
    event.payload.reset();
    EXPECT_THROW(parse_as<Deposited>(event), UnreadableEvent) << "erased";
    event.at.type = "recount.test.Nested";
    std::string deep = nested(32).SerializeAsString();
    for (int i = 0; i < 8; ++i) {
        Nested outer;
        ASSERT_TRUE(outer.mutable_inner()->ParseFromString(deep));
        deep = outer.SerializeAsString();
    }
    event.payload = deep;
    EXPECT_THROW(parse_as<Nested>(event), UnreadableEvent) << "too deep";
}

TEST(Folding, GoesThroughEvolve) {
    Account account = fold(Account{}, recorded(opened("ada")));
    account = fold(std::move(account), recorded(deposited(5)));
    EXPECT_EQ(account.owner, "ada");
    EXPECT_EQ(account.balance, 5);
    account = fold(std::move(account), Account::Event::Variant{deposited(2)});
    EXPECT_EQ(account.balance, 7);
}

TEST(Folding, StopsAtWhatTheStateDoesNotKnow) {
    EXPECT_THROW(fold(Account{}, recorded(Nested{})), UnreadableEvent);
    RecordedEvent erased = recorded(deposited(5));
    erased.payload.reset();
    EXPECT_THROW(fold(Account{}, erased), UnreadableEvent);
}

struct Forgiving {
    static constexpr std::string_view category = "forgiving";
    using Event = Events<Deposited>;
    int lost = 0;
    std::string lost_type;
};
Forgiving evolve(Forgiving state, const Deposited&) { return state; }
Forgiving evolve(Forgiving state, const Erased& event) {
    ++state.lost;
    state.lost_type = event.type;
    return state;
}

TEST(Folding, TellsAStateThatExpectsItOfErasedEvents) {
    static_assert(checked_state<Forgiving>());
    RecordedEvent erased = recorded(deposited(5));
    erased.payload.reset();
    const Forgiving state = fold(Forgiving{}, erased);
    EXPECT_EQ(state.lost, 1);
    EXPECT_EQ(state.lost_type, "recount.test.Deposited");
}

TEST(ADecision, KeepsEventsInOrder) {
    const Decision<Account> decision = decide(evolve(Account{}, deposited(3)), Close{});
    ASSERT_EQ(decision.events().size(), 2U);
    EXPECT_EQ(std::get<Deposited>(decision.events()[0]).amount(), -3);
    EXPECT_TRUE(std::holds_alternative<Closed>(decision.events()[1]));
    EXPECT_FALSE(decision.rejected());
}

}  // namespace
