#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "batch.hpp"

namespace recount::projections {

/// Why one event cannot be given to a view, now or later: the transaction is rolled back, and the
/// event's stream parked instead.
struct Poison {
    Position position;
    std::string error;
};

/// What a view does with events, within one transaction. One thread.
class Handler {
public:
    virtual ~Handler() = default;
    /// The events of these numbers within the batch, each of a type that this view knows. Throws
    /// Poison for the first that cannot be applied; what can be retried is thrown as it came.
    virtual void apply(Sql& sql, EventBatch& batch, const std::vector<std::size_t>& chosen) = 0;

    /// Does this view know the event's type?
    [[nodiscard]] const EventHook* hook(const RecordedEvent& event) const;

    static std::unique_ptr<Handler> make(const ViewDefinition& definition);

protected:
    explicit Handler(const ViewDefinition& definition);
    [[nodiscard]] const ViewDefinition& definition() const { return definition_; }
    /// Runs `hooks` for an event; what it throws becomes Poison unless it can be retried.
    template <class Run>
    static void guarded(const RecordedEvent& event, Run&& run);

private:
    const ViewDefinition& definition_;
    std::unordered_map<std::string_view, const EventHook*> by_type_;
};

/// Turns the exception being handled into the Poison of an event, or throws it on.
[[noreturn]] void throw_poison(const RecordedEvent& event);

template <class Run>
void Handler::guarded(const RecordedEvent& event, Run&& run) {
    try {
        run();
    } catch (...) {
        throw_poison(event);
    }
}

}  // namespace recount::projections
