#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <recount/core/fold.hpp>
#include <recount/saga/state.hpp>

#include "layout.hpp"
#include "orders.hpp"

namespace recount::saga_test {
namespace {

using saga::Answer;
using saga::StepState;
using saga::Way;
using Kind = CommandOutcome::Kind;

enum class Fate { accepted, refused, nothing, lost, late };

Timestamp at(std::int64_t us) { return Timestamp{std::chrono::microseconds{us}}; }

/// A plan, what is going to become of its steps, and the world that a saga acts on.
struct World {
    Ordered order;
    std::vector<Fate> fates;
    std::vector<int> undo_refusals;

    saga::Saga saga;
    std::vector<saga::Saga::Event::Variant> events;
    std::int64_t now = 0;
    std::vector<Answer> old_answers;
    bool undo_began = false;

    // The ledger: by step, how often it was done and undone, and when.
    std::vector<int> done, undone, done_at, undone_at;
    int closed = 0;
    int tick = 0;
};

World random_world() {
    World world;
    const int steps = *rc::gen::inRange(1, 10);
    world.order.set_id("o");
    for (int i = 0; i < steps; ++i) {
        const std::string family = *rc::gen::element<std::string>("a/", "b/", "c/");
        Part one = part(family + std::to_string(i));
        for (int before = 0; before < i; ++before)
            if (*rc::gen::inRange(0, 4) == 0) one.add_after(world.order.parts(before).name());
        one.set_has_undo(*rc::gen::inRange(0, 4) > 0);
        one.set_within_ms(*rc::gen::element(0, 0, 5, 50));
        *world.order.add_parts() = one;
        world.fates.push_back(*rc::gen::weightedElement<Fate>({{12, Fate::accepted},
                                                               {2, Fate::refused},
                                                               {1, Fate::nothing},
                                                               {1, Fate::lost},
                                                               {1, Fate::late}}));
        world.undo_refusals.push_back(*rc::gen::weightedElement<int>({{8, 0}, {2, 2}, {1, 100}}));
    }
    // A last step behind a whole family, by pattern.
    if (*rc::gen::arbitrary<bool>()) {
        std::string pattern = world.order.parts(0).name().substr(0, 2) + "*";
        *world.order.add_parts() = part("z", {pattern});
        world.fates.push_back(*rc::gen::element(Fate::accepted, Fate::refused));
        world.undo_refusals.push_back(0);
    }
    world.undo_refusals.push_back(*rc::gen::element(0, 0, 1));  // of the last command
    world.order.set_when_undone(*rc::gen::arbitrary<bool>());
    world.order.set_deadline_ms(*rc::gen::element(200, 1000));
    world.order.set_undo_attempts(3);
    for (auto* list : {&world.done, &world.undone, &world.done_at, &world.undone_at})
        list->resize(static_cast<std::size_t>(world.order.parts_size()));
    return world;
}

template <class Command>
void apply(World& world, const Command& command) {
    saga::Move move = saga::move(std::move(world.saga), command);
    world.saga = std::move(move.saga);
    for (const auto& event : move.decision.events()) {
        if (std::holds_alternative<saga::v1::UndoBegun>(event)) world.undo_began = true;
        RC_ASSERT(!(world.undo_began && std::holds_alternative<saga::v1::StepsSent>(event)));
        world.events.push_back(event);
    }
}

/// A crash: all that is left are the events, as bytes.
void forget_all_but_events(World& world) {
    saga::Saga again;
    for (const auto& event : world.events) {
        std::visit(
            [&](const auto& message) {
                std::decay_t<decltype(message)> read;
                RC_ASSERT(read.ParseFromString(message.SerializeAsString()));
                again = evolve(std::move(again), read);
            },
            event);
    }
    RC_ASSERT(again.phase == world.saga.phase);
    RC_ASSERT(again.steps == world.saga.steps);
    RC_ASSERT(again.attempts == world.saga.attempts);
    world.saga = std::move(again);
}

/// The command happens, or not; once, however often it is sent.
Answer perform(World& world, std::uint32_t step) {
    Answer answer{step, Way::forth, world.saga.attempts[step], Kind::events, {}};
    const Fate fate = world.fates[step];
    if (fate == Fate::refused) answer.kind = Kind::refused;
    if (fate == Fate::nothing) answer.kind = Kind::nothing;
    if (answer.kind == Kind::events && world.done[step] == 0) {
        RC_ASSERT(!world.undo_began);
        ++world.done[step];
        world.done_at[step] = ++world.tick;
    }
    return answer;
}

Answer perform_undo(World& world, std::uint32_t step) {
    Answer answer{step, Way::back, world.saga.attempts[step], Kind::events, {}};
    if (world.undo_refusals[step] > 0) {
        --world.undo_refusals[step];
        answer.kind = Kind::refused;
    } else if (step == world.saga.when_undone()) {
        ++world.closed;
    } else {
        ++world.undone[step];
        world.undone_at[step] = ++world.tick;
    }
    return answer;
}

Answer claim(World& world, std::uint32_t step) {
    const Fate fate = world.fates[step];
    Answer answer{step, Way::forth, world.saga.attempts[step], Kind::voided, {}};
    if (world.done[step] > 0) answer.kind = Kind::events;
    if (fate == Fate::refused && *rc::gen::arbitrary<bool>()) answer.kind = Kind::refused;
    return answer;
}

/// Some of the open commands are sent and answered, some are not, some answers come twice.
std::vector<Answer> some_answers(World& world, bool all) {
    std::vector<Answer> answers;
    const std::vector<saga::Timed> open = world.saga.open;
    for (const saga::Timed& one : open) {
        if (!all && *rc::gen::arbitrary<bool>()) continue;
        if (world.saga.phase == saga::Phase::undoing) {
            answers.push_back(perform_undo(world, one.step));
        } else if (world.saga.phase == saga::Phase::making_certain) {
            answers.push_back(claim(world, one.step));
        } else if (world.fates[one.step] != Fate::lost) {
            const Answer answer = perform(world, one.step);
            if (world.fates[one.step] != Fate::late) answers.push_back(answer);
        }
    }
    world.old_answers.insert(world.old_answers.end(), answers.begin(), answers.end());
    if (!world.old_answers.empty() && *rc::gen::inRange(0, 4) == 0)
        answers.push_back(*rc::gen::elementOf(world.old_answers));
    return answers;
}

void run(World& world) {
    saga::Begin begin;
    const Plan plan = Fulfil::plan(world.order);
    const saga::Layout layout =
        saga::lay_out(plan.description(), [](const NewEvent&) { return "account-a"; });
    saga::describe(plan.description(), layout, begin.begun);
    begin.pages = layout.pages;
    apply(world, begin);
    for (int round = 0; world.saga.alive(); ++round) {
        RC_ASSERT(round < 2000);
        if (*rc::gen::inRange(0, 5) == 0) forget_all_but_events(world);
        world.now += *rc::gen::inRange(1'000, 20'000);
        apply(world, saga::Learn{at(world.now), some_answers(world, round % 3 == 2)});
    }
    forget_all_but_events(world);
}

bool waits_for(const Part& later, const Part& earlier) {
    for (const std::string& after : later.after())
        if (after == earlier.name() ||
            (after.ends_with('*') && earlier.name().starts_with(after.substr(0, 2))))
            return true;
    return false;
}

void check_ledger(const World& world) {
    const bool completed = world.saga.phase == saga::Phase::completed;
    const bool compensated = world.saga.phase == saga::Phase::compensated;
    RC_ASSERT(completed || compensated || world.saga.halted);
    for (int i = 0; i < world.order.parts_size(); ++i) {
        const auto step = static_cast<std::size_t>(i);
        const Part& one = world.order.parts(i);
        RC_ASSERT(world.done[step] <= 1);
        if (completed) RC_ASSERT(world.done[step] == 1 || world.fates[step] == Fate::nothing);
        if (completed) RC_ASSERT(world.undone[step] == 0);
        if (compensated) RC_ASSERT(world.undone[step] == (one.has_undo() ? world.done[step] : 0));
        RC_ASSERT(world.undone[step] <= world.done[step]);
        for (int j = 0; j < world.order.parts_size(); ++j) {
            const auto other = static_cast<std::size_t>(j);
            if (!waits_for(one, world.order.parts(j))) continue;
            if (world.done[step] > 0 && world.done[other] > 0)
                RC_ASSERT(world.done_at[other] < world.done_at[step]);
            if (world.undone[other] > 0 && world.done[step] > 0 && one.has_undo())
                RC_ASSERT(world.undone[step] > 0 && world.undone_at[step] < world.undone_at[other]);
        }
    }
    // Who is compensated was refused, or stopped before all was done.
    bool all_done = true;
    for (std::size_t step = 0; step < world.done.size(); ++step) {
        const bool nothing = world.saga.steps[step] == StepState::nothing;
        all_done = all_done && (nothing || world.done[step] > 0);
    }
    RC_ASSERT(!(compensated && all_done));
    RC_ASSERT(world.closed == (compensated && world.order.when_undone() ? 1 : 0));
}

TEST(AnySaga, KeepsOrUndoesEachStepOnceInReverseAndEnds) {
    int completed = 0, compensated = 0, halted = 0;
    EXPECT_TRUE(rc::check("random plans, fates, times, crashes, double answers", [&] {
        World world = random_world();
        run(world);
        check_ledger(world);
        completed += world.saga.phase == saga::Phase::completed ? 1 : 0;
        compensated += world.saga.phase == saga::Phase::compensated ? 1 : 0;
        halted += world.saga.halted ? 1 : 0;
    }));
    EXPECT_GT(completed, 0);
    EXPECT_GT(compensated, 0);
    EXPECT_GT(halted, 0);
}

}  // namespace
}  // namespace recount::saga_test
