#include <exception>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/metrics.hpp>
#include <recount/saga/command_id.hpp>

#include "layout.hpp"
#include "reason.hpp"
#include "work.hpp"

namespace recount {
namespace {

constexpr int attempts_to_record = 10;

/// What makes two starts of one saga the same: the content of the starting events.
Hash content_of(const RecordedEvent& event) {
    return Sha256{}.add(event.at.type).add({"\0", 1}).add(event.payload.value_or("")).finish();
}

saga::v1::SagaBegun begun_by(const RecordedEvent& event, const std::string& name,
                             const std::string& id, Timestamp now) {
    saga::v1::SagaBegun begun;
    begun.set_name(name);
    begun.set_id(id);
    begun.set_begun_at_us(now.time_since_epoch().count());
    begun.set_occurred_at_us(event.at.occurred_at.time_since_epoch().count());
    begun.set_started_at_us(event.at.recorded_at.time_since_epoch().count());
    begun.mutable_started_by()->set_event_id(to_string(event.at.event_id));
    begun.mutable_started_by()->set_stream(event.at.stream.full());
    begun.mutable_started_by()->set_version(event.at.version.value);
    return begun;
}

std::string place_of(const RecordedEvent& event) {
    return event.at.type + " " + to_string(event.at.event_id) + " of stream " +
           event.at.stream.full();
}

}  // namespace

/// Begins what was read, then lets the cursors cover it: never the other way round.
void SagaEngine::Work::begin(const std::stop_token& stop) {
    std::vector<Beginning> beginnings;
    std::vector<Append> appends;
    for (const Start& start : starts_) beginnings.push_back(beginning(start));
    for (Beginning& one : beginnings) appends.push_back(std::move(one.append));
    const std::vector<saga::Verdict> verdicts = saga::append_each(store_, appends);
    for (std::size_t i = 0; i < beginnings.size(); ++i) {
        beginnings[i].append = std::move(appends[i]);
        settle(beginnings[i], verdicts[i]);
    }

    for (const Start& start : starts_) start.kind->cursor_due = true;
    starts_.clear();
    const bool long_ago = idle_events_ >= options_.cursor_every ||
                          (idle_events_ > 0 && stop.stop_requested());  // what was read is kept
    for (auto& [name, registered] : kinds_) {
        registered.cursor.positions.raise(read_);
        registered.cursor_due = registered.cursor_due || long_ago;
    }
    if (long_ago) idle_events_ = 0;
}

SagaEngine::Work::Beginning SagaEngine::Work::beginning(const Start& start) {
    Beginning beginning{&start, {}, {}, {}};
    std::string refusal;
    try {
        beginning.id = start.kind->kind.starts.at(start.event.at.type).id_of(start.event);
        (void)saga::stream_of(start.kind->kind.name, beginning.id);
    } catch (...) {
        // A start is never lost: without a usable id the saga is named by its starting event.
        beginning.id = "event-" + to_string(start.event.at.event_id);
        refusal = "it has no usable id: " + saga::thrown();
    }
    beginning.move = first_move(start, beginning.id, std::move(refusal));
    const std::string& name = start.kind->kind.name;
    const StreamName stream = saga::stream_of(name, beginning.id);
    try {
        beginning.append = saga::append_of(stream, Version{0}, beginning.move);
    } catch (const InvalidArgument& error) {
        beginning.move = first_move(start, beginning.id, error.what());
        beginning.append = saga::append_of(stream, Version{0}, beginning.move);
    }
    beginning.append.metadata.command_id = saga::begin_id(name, beginning.id);
    beginning.append.metadata.causation_id = to_string(start.event.at.event_id);
    beginning.append.request = content_of(start.event);
    return beginning;
}

saga::Move SagaEngine::Work::first_move(const Start& start, const std::string& id,
                                        std::string refusal) {
    const saga::Kind& kind = start.kind->kind;
    saga::Begin begin{begun_by(start.event, kind.name, id, time()), {}};
    if (refusal.empty()) {
        try {
            const Plan plan = kind.starts.at(start.event.at.type).plan(start.event);
            saga::Layout layout = saga::lay_out(
                plan.description(),
                [&](const NewEvent& command) { return target_of(kind, command); }, store_.limits());
            saga::describe(plan.description(), layout, begin.begun);
            begin.pages = std::move(layout.pages);
            return saga::move(saga::Saga{}, begin);
        } catch (...) {
            refusal = saga::thrown();
            begin = {begun_by(start.event, kind.name, id, time()), {}};
        }
    }
    const std::string reason = "the plan of saga " + kind.name + " for " + place_of(start.event) +
                               " was refused: " + refusal;
    return saga::move(saga::Saga{}, saga::Refuse{begin.begun, reason});
}

std::string SagaEngine::Work::target_of(const saga::Kind& kind, const NewEvent& command) const {
    if (!kind.commands.contains(command.type))
        throw InvalidArgument("the Command of saga " + kind.name + " does not list " +
                              command.type + "; add it there");
    return routes_.at(command.type).stream_of(command.payload);
}

void SagaEngine::Work::settle(Beginning& beginning, const saga::Verdict& verdict) {
    const std::string& name = beginning.start->kind->kind.name;
    saga::Active& active = adopt(name, beginning.id);
    if (!verdict.error.empty()) return settle_refused(beginning, active, verdict.error);
    switch (verdict.result->kind) {
        case AppendResult::Kind::committed:
            fill(active, std::move(beginning.move), beginning.append, verdict.version());
            metrics().counter("recount_saga_begun_total", "Sagas begun", {{"saga", name}}).add();
            ++progress_.begun;
            break;
        case AppendResult::Kind::repeated:
            break;  // begun before: it goes on from its stream
        case AppendResult::Kind::conflict:
        case AppendResult::Kind::reused:
        case AppendResult::Kind::expired:
        case AppendResult::Kind::closed:
            started_again(beginning, active);
            break;
    }
}

/// What cannot be recorded as planned is recorded as refused.
void SagaEngine::Work::settle_refused(Beginning& beginning, saga::Active& active,
                                      const std::string& why) {
    beginning.move = first_move(*beginning.start, beginning.id, why);
    const Append refused = saga::append_of(active.stream, Version{0}, beginning.move);
    beginning.append.writes = refused.writes;
    try {
        const AppendResult result = store_.append(beginning.append);
        if (result.kind != AppendResult::Kind::committed) return;
        fill(active, std::move(beginning.move), beginning.append,
             result.outcome->streams.at(0).last);
    } catch (const std::exception& error) {
        if (!saga::is_its_own(error)) throw;
        lose(active, why + "; " + error.what());
    }
}

/// Whether a saga was begun by an event of the same content. The outcome of its beginning says so,
/// until it is forgotten; then the event does, as long as it is to be had.
bool SagaEngine::Work::same_content(const saga::v1::SagaBegun& begun, const RecordedEvent& event) {
    const StreamPage page =
        store_.read_stream(StreamName::trusted(begun.started_by().stream()),
                           {.from = Version{begun.started_by().version()}, .max_events = 1});
    if (page.events.empty()) return false;
    const RecordedEvent& first = page.events.front();
    return to_string(first.at.event_id) == begun.started_by().event_id() && !first.erased() &&
           content_of(first) == content_of(event);
}

/// Another event starts a saga that there is already. Its recorded plan stands, and a person hears
/// of it, once.
void SagaEngine::Work::started_again(const Beginning& beginning, saga::Active& active) {
    const RecordedEvent& event = beginning.start->event;
    const std::string event_id = to_string(event.at.event_id);
    const std::string news = "started again with other content, by " + place_of(event) +
                             "; its plan stands: see whether what the second start asked for is "
                             "still to be done";
    const auto note = [&] {
        saga::LoadedSaga loaded = saga::load(store_, active.stream);
        if (loaded.saga.phase == saga::Phase::none) {
            if (loaded.closed) lose(active, "its stream was closed before it could begin");
            return loaded.closed;
        }
        if (loaded.saga.begun().started_by().event_id() == event_id) return true;
        if (same_content(loaded.saga.begun(), event)) return true;
        const saga::Move move =
            saga::move(std::move(loaded.saga), saga::AskPerson{time(), news, false});
        if (move.decision.events().empty()) return true;
        Append append = saga::append_of(active.stream, loaded.version, move);
        append.request = sha256(event_id);
        append.metadata.command_id = to_string(
            derived_uuid("recount/saga/second_start/1", active.stream.full() + '\0' + event_id));
        const bool noted = store_.append(append).outcome.has_value();
        active.stale = active.stale || noted;  // so that the alarm is raised now
        return noted;
    };
    try {
        for (int attempt = 0; attempt < attempts_to_record; ++attempt)
            if (note()) return;
    } catch (const std::exception& error) {
        if (!saga::is_its_own(error)) throw;
        return lose(active, news + "; " + error.what());
    }
    throw Contended("stream " + active.stream.full() +
                    " could not take note of a second start; try again");
}

saga::Active& SagaEngine::Work::adopt(const std::string& name, const std::string& id) {
    StreamName stream = saga::stream_of(name, id);
    const std::string key = stream.full();
    return active_.try_emplace(key, saga::Active{std::move(stream), name, id}).first->second;
}

}  // namespace recount
