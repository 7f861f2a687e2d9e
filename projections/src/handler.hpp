#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "batch.hpp"

namespace recount::projections {

/// Why one event cannot be given to a view, now or later.
struct Poison {
    Position position;
    std::string error;
};
/// Thrown: the transaction is rolled back, and these events' streams are parked instead.
struct Poisoned {
    std::vector<Poison> found;
};

/// Events that could not be applied; what comes behind them in their streams is not tried.
class Failures {
public:
    /// Runs hooks for an event. False: it cannot be applied. What can be retried is thrown as it
    /// came.
    template <class Run>
    bool guarded(const RecordedEvent& event, Run&& run) {
        try {
            run();
            return true;
        } catch (...) {
            add(event);
            return false;
        }
    }
    [[nodiscard]] bool any() const { return !found_.empty(); }
    /// Is this one of them, or behind one in its stream?
    [[nodiscard]] bool behind(const Recorded& at) const;
    /// Throws Poisoned when there are any.
    void raise() const {
        if (any()) throw Poisoned{found_};
    }

private:
    /// The exception being handled; throws it on when it is not the event's.
    void add(const RecordedEvent& event);

    std::vector<Poison> found_;
    std::map<StreamName, std::int64_t> first_;  // position of the first one of a stream
};

/// What a view does with events, within one transaction. One thread.
class Handler {
public:
    virtual ~Handler() = default;
    /// The events of these numbers within the batch, each of a type that this view knows. Throws
    /// Poisoned; what can be retried is thrown as it came. `again`: some of the batch were found
    /// poisoned before, so that more than the first are worth to be looked for.
    virtual void apply(Sql& sql, EventBatch& batch, const std::vector<std::size_t>& chosen,
                       bool again) = 0;

    /// Does this view know the event's type?
    [[nodiscard]] const EventHook* hook(const RecordedEvent& event) const;

    static std::unique_ptr<Handler> make(const ViewDefinition& definition);

protected:
    explicit Handler(const ViewDefinition& definition);
    [[nodiscard]] const ViewDefinition& definition() const { return definition_; }

private:
    const ViewDefinition& definition_;
    std::unordered_map<std::string_view, const EventHook*> by_type_;
};

}  // namespace recount::projections
