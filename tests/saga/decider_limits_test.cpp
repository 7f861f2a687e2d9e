#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decided_saga.hpp"

namespace recount::saga_test {
namespace {

using saga::Phase;
using saga::StepState;
using saga::Way;
using Kind = CommandOutcome::Kind;

TEST(ALimit, CountsFromTheSendingOfItsStep) {
    Ordered limited = order("o", {part("a"), part("b", {"a"})});
    limited.mutable_parts(1)->set_within_ms(100);
    Case one{limited};
    EXPECT_EQ(saga::due(one.saga), std::nullopt);
    one.answer(0, Kind::events, 1000);
    EXPECT_EQ(saga::due(one.saga), at(1100));
    EXPECT_EQ(one.pass(1099), 0U);
    one.pass(1100);
    EXPECT_EQ(one.saga.phase, Phase::making_certain);
    EXPECT_THAT(one.saga.failure, testing::HasSubstr("\"b\" was not answered within 100 ms"));
}

TEST(TheDeadline, StopsWhatWasNotSentYet) {
    Ordered limited = order("o", {part("a"), part("b", {"a"})});
    limited.set_deadline_ms(1000);
    Case one{limited};
    EXPECT_EQ(saga::due(one.saga), at(1000));
    one.answer(0, Kind::events, 1000);
    EXPECT_EQ(one.count<saga::v1::StepsSent>(), 1);
    EXPECT_EQ(one.saga.phase, Phase::undoing);
}

TEST(TheDeadline, DoesNotUndoWhatTheLastAnswerCompleted) {
    Ordered limited = order("o", {part("a")});
    limited.set_deadline_ms(1000);
    Case one{limited};
    one.answer(0, Kind::events, 5000);
    EXPECT_EQ(one.saga.phase, Phase::completed);
}

TEST(TheDeadline, DoesNotUndoWhatHadAllHappenedWhenItPassed) {
    Ordered limited = order("o", {part("a"), without_undo(part("b", {"a"}))});
    limited.set_deadline_ms(1000);
    Case one{limited};
    one.answer(0);
    one.pass(1000);
    EXPECT_EQ(one.saga.phase, Phase::making_certain);
    EXPECT_EQ(one.answer(1, Kind::events, 1001), 2U) << "answered, and that was all";
    EXPECT_EQ(one.saga.phase, Phase::completed);
    EXPECT_EQ(one.saga.failure, "");
    EXPECT_EQ(one.saga.steps,
              (std::vector{StepState::accepted, StepState::accepted, StepState::waiting}));
    EXPECT_EQ(one.saga.attempts, (std::vector<std::uint32_t>{1, 1, 0}));
    EXPECT_EQ(saga::due(one.saga), std::nullopt);
    EXPECT_EQ(one.pass(5000), 0U);
}

TEST(TheDeadline, DoesNotUndoWhatHadAllHappenedWhenAPersonResumes) {
    for (const bool undoable : {true, false}) {
        Ordered limited = order("o", {part("a"), part("b", {"a"})});
        if (!undoable) *limited.mutable_parts(1) = without_undo(limited.parts(1));
        limited.set_deadline_ms(1000);
        Case one{limited};
        one.answer(0);
        one.pass(1000);
        one.apply(saga::AskPerson{at(1001), "an outcome that cannot be read", true});
        one.answer(1, Kind::events, 1002);
        EXPECT_EQ(one.saga.phase, Phase::undoing) << "known, but nothing is done without a person";
        one.apply(saga::Resume{at(1003), "an operator"});
        one.pass(1004);
        EXPECT_EQ(one.saga.phase, Phase::completed);
        EXPECT_EQ(one.count<saga::v1::UndosSent>(), 0);
    }
}

TEST(TheDeadline, LeavesWhatIsSentWhenAllIsUndoneOnItsWay) {
    Ordered limited = order("o", {without_undo(part("a"))});
    limited.set_deadline_ms(1000);
    Case one{limited};
    one.pass(1000);
    saga::v1::StepsAnswered answered;
    answered.add_accepted(0);
    one.saga = evolve(std::move(one.saga), answered);
    saga::v1::UndosSent sent;  // by an earlier program
    sent.add_steps(one.saga.when_undone());
    one.saga = evolve(std::move(one.saga), sent);
    EXPECT_EQ(one.pass(1001), 0U);
    EXPECT_EQ(one.saga.phase, Phase::undoing);
}

TEST(TheDeadline, UndoesWhatTheLastStepTurnsOutToHaveRefused) {
    for (const Kind kind : {Kind::refused, Kind::voided}) {
        Ordered limited = order("o", {part("a"), part("b")});
        limited.set_deadline_ms(1000);
        Case one{limited};
        one.answer(0);
        one.pass(1000);
        one.answer(1, kind, 1001);
        EXPECT_EQ(one.saga.steps[0], StepState::undo_sent);
    }
}

// Programs from before went on undoing once the last answer was in; what they recorded stands.
TEST(ASagaThatAnEarlierProgramUndoes, IsUndone) {
    Ordered limited = order("o", {part("a"), part("b")});
    limited.set_deadline_ms(1000);
    Case one{limited};
    one.answer(0);
    one.pass(1000);
    saga::v1::StepsAnswered answered;
    answered.add_accepted(1);
    one.saga = evolve(std::move(one.saga), answered);
    EXPECT_EQ(one.saga.phase, Phase::undoing);
    saga::v1::UndosSent sent;
    sent.add_steps(0);
    sent.add_steps(1);
    one.saga = evolve(std::move(one.saga), sent);
    one.answer(0, Kind::events, 1002, Way::back);
    one.answer(1, Kind::events, 1003, Way::back);
    one.answer(one.saga.when_undone(), Kind::events, 1004, Way::back);
    EXPECT_EQ(one.saga.phase, Phase::compensated);
}

}  // namespace
}  // namespace recount::saga_test
