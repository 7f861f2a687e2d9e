#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/message.h>

#include <recount/core/environment.hpp>
#include <recount/core/event.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// What a saga is going to do, as a value: named steps, what undoes each, what comes first, how
/// long it may take. It is recorded with the saga, so that new code never moves a running one.
///
///     recount::Plan plan;
///     plan.step("reserve/0", reserve(order, 0)).undo(release(order, 0));
///     plan.step("reserve/1", reserve(order, 1)).undo(release(order, 1));
///     plan.step("charge", charge(order)).after("reserve/*").undo(refund(order)).within(30s);
///     plan.when_undone(cancel(order)).deadline(10min);
///
/// Building never throws for what the plan says: a plan that cannot be carried out (no steps, a
/// name twice, an unknown or cyclic dependency, a command without a route) is refused when the saga
/// begins, and the saga then waits for a person. Steps and dependencies may be named in any order.
class Plan {
public:
    /// One step while it is described. Valid as long as its plan.
    class Step {
    public:
        /// What takes the step back. A step without it is never undone: it is either harmless, or
        /// the point behind which nothing may be refused any more.
        Step& undo(const google::protobuf::Message& command);
        /// What must be done first: steps by name, or all whose name begins with what precedes a
        /// final '*'. Each must match at least one step.
        template <class... Name>
        Step& after(const Name&... names) {
            (wait_for(std::string{std::string_view{names}}), ...);
            return *this;
        }
        /// The longest time from sent to answered; when it is over, everything is undone, unless
        /// every step of the plan turns out to be done. 0: none; below it the plan is refused.
        Step& within(Duration limit);

    private:
        friend class Plan;
        Step(Plan& plan, std::size_t index) : plan_(plan), index_(index) {}
        void wait_for(std::string pattern);

        Plan& plan_;
        std::size_t index_;
    };

    /// Adds a step. Steps that wait for nothing are sent together.
    Step step(std::string name, const google::protobuf::Message& command);

    /// Sent when everything is undone, as the last act of a compensated saga.
    Plan& when_undone(const google::protobuf::Message& command);
    /// The longest time from the saga's begin to the last answer of its last step; when it is over,
    /// as with Step::within.
    Plan& deadline(Duration limit);
    /// How often an undo that is refused is sent, and the pause before the second time, which
    /// doubles with each. Then a person is asked. Five times and 200 ms unless said otherwise.
    Plan& retry_undos(int attempts, Duration pause);
    /// What the commands carry as the time at which it happened; the starting event's unless said.
    Plan& occurred_at(Timestamp when);

    /// One step as described.
    struct Described {
        std::string name;
        NewEvent command;
        std::optional<NewEvent> undo;
        std::vector<std::string> after;
        Duration within{0};
    };
    /// Everything as described.
    struct Description {
        std::vector<Described> steps;
        std::optional<NewEvent> when_undone;
        Duration deadline{0};
        int undo_attempts = 5;
        Duration undo_pause = std::chrono::milliseconds{200};
        std::optional<Timestamp> occurred_at;
    };
    [[nodiscard]] const Description& description() const { return description_; }

private:
    Description description_;
};

}  // namespace recount
