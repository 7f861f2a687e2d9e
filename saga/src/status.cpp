#include <recount/saga/status.hpp>

#include <array>
#include <exception>

#include <recount/core/error.hpp>

#include "cursor.hpp"
#include "loading.hpp"
#include "moments.hpp"

namespace recount {
namespace saga {
namespace {

constexpr std::array step_states{
    "waiting",      "ready",      "sent",      "accepted",     "nothing",    "refused", "voided",
    "undo_waiting", "undo_ready", "undo_sent", "undo_refused", "undo_stuck", "undone",  "left"};
constexpr std::array phases{"none",    "running",   "making_certain",
                            "undoing", "completed", "compensated"};

Timestamp moment(std::int64_t us) { return Timestamp{std::chrono::microseconds{us}}; }

StepStatus step_status(const Saga& saga, std::uint32_t step) {
    StepStatus status;
    const bool last = step == saga.when_undone();
    status.name = last ? "when_undone" : saga.plan->step(step).name();
    status.state = step_states.at(static_cast<std::size_t>(saga.steps.at(step)));
    status.stream =
        last ? saga.begun().when_undone().stream() : saga.plan->step(step).command().stream();
    status.attempt = saga.attempts.at(step);
    if (const auto refusal = saga.refusals.find(step); refusal != saga.refusals.end())
        status.refusal = refusal->second;
    return status;
}

SagaStatus status_of(const Saga& saga, Version version) {
    const v1::SagaBegun& begun = saga.begun();
    SagaStatus status;
    status.name = begun.name();
    status.id = begun.id();
    status.phase = phases.at(static_cast<std::size_t>(saga.phase));
    status.attention = saga.attention;
    status.halted = saga.halted;
    status.failure = saga.failure;
    status.version = version;
    status.begun_at = moment(begun.begun_at_us());
    status.occurred_at = moment(begun.occurred_at_us());
    if (const auto deadline = later_us(begun.begun_at_us(), begun.deadline_us());
        deadline && begun.deadline_us() > 0)
        status.deadline = moment(*deadline);
    if (saga.ended()) status.ended_at = moment(saga.ended_us);
    if (!saga.plan->complete()) return status;
    for (std::uint32_t step = 0; step < saga.plan->size(); ++step)
        status.steps.push_back(step_status(saga, step));
    if (begun.has_when_undone()) status.steps.push_back(step_status(saga, saga.when_undone()));
    return status;
}

}  // namespace

}  // namespace saga

std::optional<SagaStatus> saga_status(Streams& streams, std::string_view name,
                                      std::string_view id) {
    const saga::LoadedSaga loaded = saga::load(streams, saga::stream_of(name, id));
    if (loaded.saga.phase == saga::Phase::none) return std::nullopt;
    return saga::status_of(loaded.saga, loaded.version);
}

namespace {

/// Nothing of a saga without its stream can go on: only its alarm is let go.
std::optional<Rejection> resume_lost(Streams& streams, std::string_view name, std::string_view id,
                                     std::string_view by) {
    if (saga::let_alarm_go(streams, name, id, by)) return std::nullopt;
    return Rejection{"waits_for_nobody", saga::stream_of(name, id).full() +
                                             " is closed or erased, and no alarm of it is up"};
}

/// The saga; nothing when its stream takes or gives nothing any more.
std::optional<saga::LoadedSaga> load_open(Streams& streams, const StreamName& stream) {
    try {
        saga::LoadedSaga loaded = saga::load(streams, stream);
        if (!loaded.closed) return loaded;
    } catch (const std::exception& error) {
        if (!saga::is_its_own(error)) throw;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Rejection> resume_saga(Streams& streams, std::string_view name, std::string_view id,
                                     std::string_view by) {
    const StreamName stream = saga::stream_of(name, id);
    constexpr int attempts = 10;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        std::optional<saga::LoadedSaga> loaded = load_open(streams, stream);
        if (!loaded) return resume_lost(streams, name, id, by);
        if (loaded->saga.phase == saga::Phase::none)
            throw InvalidArgument("there is no saga in stream " + stream.full() +
                                  "; look at name and id");
        const saga::Resume resume{streams.environment().clock.now(), std::string{by}};
        const saga::Move move = saga::move(std::move(loaded->saga), resume);
        if (move.decision.rejected()) return move.decision.rejection();
        if (move.decision.events().empty())
            return Rejection{"waits_for_nobody", stream.full() + " does not wait for a person"};
        const Append append = saga::append_of(stream, loaded->version, move);
        if (streams.append(append).outcome) return std::nullopt;
    }
    throw Contended("stream " + stream.full() + " was changed by others " +
                    std::to_string(attempts) + " times; try again");
}

}  // namespace recount
