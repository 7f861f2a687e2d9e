#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/saga/state.hpp>

#include "decided_saga.hpp"

namespace recount::saga_test {
namespace {

using saga::Answer;
using saga::Phase;
using saga::StepState;
using saga::Way;
using Kind = CommandOutcome::Kind;

TEST(ARunningSaga, SendsWhatWaitsForNothingTogether) {
    const Case one{order("o", {part("a"), part("b"), part("c", {"a", "b"})})};
    ASSERT_EQ(one.count<saga::v1::StepsSent>(), 1);
    const auto& sent = std::get<saga::v1::StepsSent>(one.events.back());
    EXPECT_THAT(sent.steps(), testing::ElementsAre(0, 1));
}

TEST(ARunningSaga, IgnoresAnswersThatNobodyWaitsFor) {
    Case one{order("o", {part("a"), part("b", {"a"})})};
    EXPECT_EQ(one.answer(1), 0U) << "not sent yet";
    EXPECT_EQ(one.answer(7), 0U) << "no such step";
    EXPECT_EQ(one.answer(0, Kind::events, 1, Way::back), 0U) << "not being undone";
    EXPECT_EQ(one.answer(0, Kind::events, 1, Way::forth, 2), 0U) << "another attempt";
    EXPECT_EQ(one.answer(0), 2U) << "answered, and the next is sent";
    EXPECT_EQ(one.answer(0), 0U) << "answered before";
    EXPECT_EQ(one.answer(1), 2U);
    EXPECT_EQ(one.saga.phase, Phase::completed);
    EXPECT_EQ(one.answer(1, Kind::refused), 0U) << "after the end";
}

TEST(ARunningSaga, TakesTheFirstOfTwoAnswersAtOnce) {
    Case one{order("o", {part("a"), part("b", {"a"})})};
    one.apply(saga::Learn{at(1),
                          {Answer{0, Way::forth, 1, Kind::events, {}},
                           Answer{0, Way::forth, 1, Kind::refused, {"no", ""}}}});
    EXPECT_EQ(one.saga.phase, Phase::running);
    EXPECT_EQ(one.saga.steps[0], StepState::accepted);
}

TEST(ARefusal, VoidsWhatIsOpenBeforeAnythingIsUndone) {
    Case one{order("o", {part("a"), part("b"), part("c")})};
    one.answer(0);
    one.answer(1, Kind::refused);
    EXPECT_EQ(one.saga.phase, Phase::making_certain);
    EXPECT_EQ(one.count<saga::v1::UndosSent>(), 0);
    ASSERT_EQ(one.saga.open.size(), 1U);
    EXPECT_EQ(one.saga.open[0].step, 2U);
    one.answer(2, Kind::voided);
    EXPECT_EQ(one.saga.phase, Phase::undoing);
    EXPECT_EQ(one.count<saga::v1::StepsVoided>(), 1);
    EXPECT_EQ(one.saga.steps[2], StepState::voided);
    EXPECT_EQ(one.saga.steps[0], StepState::undo_sent);
}

TEST(AClaimThatComesTooLate, FindsTheEffectAndUndoesIt) {
    Case one{order("o", {part("a"), part("b")})};
    one.answer(0, Kind::refused);
    one.answer(1, Kind::events);
    EXPECT_EQ(one.saga.steps[1], StepState::undo_sent);
}

TEST(AStepThatSomebodyElseVoided, CountsAsRefused) {
    Case one{order("o", {part("a"), part("b", {"a"})})};
    one.answer(0, Kind::voided);
    EXPECT_EQ(one.saga.phase, Phase::undoing);
    EXPECT_THAT(one.saga.failure, testing::HasSubstr("step \"a\" was voided"));
}

TEST(ARefusedUndo, IsSentAgainUnderANewAttemptAfterAPauseThatDoubles) {
    Case one{order("o", {part("a"), refused(part("b", {"a"}))})};
    one.answer(0);
    one.answer(1, Kind::refused, 10);
    ASSERT_EQ(one.saga.phase, Phase::undoing);
    one.answer(0, Kind::refused, 1000, Way::back, 1);
    EXPECT_EQ(saga::due(one.saga), at(1200));
    EXPECT_EQ(one.pass(1199), 0U);
    EXPECT_EQ(one.pass(1200), 1U);
    EXPECT_EQ(one.saga.attempts[0], 2U);
    EXPECT_EQ(one.answer(0, Kind::events, 1201, Way::back, 1), 0U) << "of the first attempt";
    one.answer(0, Kind::refused, 2000, Way::back, 2);
    EXPECT_EQ(saga::due(one.saga), at(2400));
}

TEST(AnUndoRefusedTooOften, HaltsUntilAPersonResumes) {
    Ordered stubborn = order("o", {part("a"), refused(part("b", {"a"}))});
    stubborn.set_undo_attempts(1);
    Case one{stubborn};
    one.answer(0);
    one.answer(1, Kind::refused);
    one.answer(0, Kind::refused, 1, Way::back, 1);
    EXPECT_TRUE(one.saga.halted);
    EXPECT_FALSE(one.saga.ended());
    EXPECT_THAT(one.saga.attention, testing::HasSubstr("undo of step \"a\" was refused 1 times"));
    EXPECT_EQ(saga::due(one.saga), std::nullopt);

    EXPECT_EQ(one.apply(saga::Resume{at(50), "an operator, whose clock is ahead"}), 1U);
    EXPECT_EQ(saga::due(one.saga), at(0)) << "at once";
    EXPECT_EQ(one.pass(2), 1U);
    EXPECT_EQ(one.saga.attempts[0], 2U) << "ids are never used twice";
    one.answer(0, Kind::events, 51, Way::back, 2);
    EXPECT_EQ(one.saga.phase, Phase::undoing) << "the order is still to be closed";
    one.answer(one.saga.when_undone(), Kind::events, 52, Way::back, 1);
    EXPECT_EQ(one.saga.phase, Phase::compensated);
}

TEST(ASagaThatWaitsForNobody, CannotBeResumed) {
    Case one{order("o", {part("a")})};
    EXPECT_EQ(one.apply(saga::Resume{at(1), "an operator"}), 0U);
}

TEST(ARefusedPlan, AsksAPersonAndCannotBeResumed) {
    saga::Refuse refuse;
    refuse.begun.set_name("fulfil");
    refuse.reason = "no steps";
    saga::Move move = saga::move(saga::Saga{}, refuse);
    EXPECT_TRUE(move.saga.halted);
    EXPECT_EQ(move.saga.attention, "no steps");
    const saga::Move resumed = saga::move(std::move(move.saga), saga::Resume{at(1), "x"});
    EXPECT_TRUE(resumed.decision.rejected());
}

TEST(AttentionThatDoesNotHalt, LetsTheSagaGoOn) {
    Case one{order("o", {part("a")})};
    one.apply(saga::AskPerson{at(1), "started twice", false});
    EXPECT_FALSE(one.saga.halted);
    EXPECT_EQ(one.apply(saga::AskPerson{at(2), "started twice", false}), 0U) << "said before";
    one.answer(0);
    EXPECT_EQ(one.saga.phase, Phase::completed);
    EXPECT_EQ(one.saga.attention, "started twice");
}

TEST(AHaltedSaga, StillTakesAnswersButDoesNotMove) {
    Case one{order("o", {part("a"), part("b"), part("c", {"a"})})};
    one.apply(saga::AskPerson{at(1), "a bug", true});
    EXPECT_EQ(one.answer(0), 1U);
    EXPECT_EQ(one.count<saga::v1::StepsSent>(), 1);
    one.apply(saga::Resume{at(2), "fixed"});
    EXPECT_EQ(one.count<saga::v1::StepsSent>(), 1) << "what follows is for the engine to say";
    EXPECT_EQ(saga::due(one.saga), at(0)) << "at once";
    one.pass(3);
    EXPECT_EQ(one.count<saga::v1::StepsSent>(), 2);
    EXPECT_EQ(saga::due(one.saga), std::nullopt);
}

TEST(AHaltedSaga, EndsWhenItIsResumedAfterItsLastAnswer) {
    for (const Kind kind : {Kind::events, Kind::refused}) {
        Case one{order("o", {part("a")})};
        one.apply(saga::AskPerson{at(1), "a bug", true});
        EXPECT_EQ(one.answer(0, kind), 1U);
        EXPECT_EQ(saga::due(one.saga), std::nullopt);
        one.apply(saga::Resume{at(2), "fixed"});
        EXPECT_EQ(saga::due(one.saga), at(0)) << "at once";
        one.pass(3);
        EXPECT_EQ(one.saga.phase, kind == Kind::events ? Phase::completed : Phase::undoing);
    }
}

TEST(ASteplessUndo, HoldsBackWhatCameBeforeIt) {
    // b has no undo, but c behind it has: a waits for c all the same.
    Case one{order("o", {part("a"), without_undo(part("b", {"a"})), part("c", {"b"}),
                         refused(part("d", {"c"}))})};
    one.answer(0);
    one.answer(1);
    one.answer(2);
    one.answer(3, Kind::refused);
    EXPECT_EQ(one.saga.steps[2], StepState::undo_sent);
    EXPECT_EQ(one.saga.steps[0], StepState::undo_waiting);
    one.answer(2, Kind::events, 2, Way::back);
    EXPECT_EQ(one.saga.steps[0], StepState::undo_sent);
}

TEST(ALongRefusal, IsRecordedInShort) {
    Case one{order("o", {part("a")})};
    std::string detail;
    for (int i = 0; i < 400; ++i) detail += "é";
    one.apply(saga::Learn{at(1), {Answer{0, Way::forth, 1, Kind::refused, {"no", detail}}}});
    EXPECT_LE(one.saga.refusals[0].detail.size(), 256U);
    EXPECT_EQ(one.saga.refusals[0].detail.size() % 2, 0U) << "no half of a character";
}

}  // namespace
}  // namespace recount::saga_test
