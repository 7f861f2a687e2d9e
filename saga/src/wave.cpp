#include <algorithm>
#include <exception>
#include <utility>

#include <recount/core/metrics.hpp>

#include "reason.hpp"
#include "work.hpp"

namespace recount {
namespace {

/// The move, and then another command on what it led to.
template <class Command>
saga::Move and_then(saga::Move first, const Command& command) {
    saga::Move second = saga::move(std::move(first.saga), command);
    for (const auto& event : second.decision.events())
        std::visit([&](const auto& message) { first.decision.add(message); }, event);
    return {std::move(second.saga), std::move(first.decision)};
}

const char* name_of(CommandOutcome::Kind kind) {
    switch (kind) {
        case CommandOutcome::Kind::events:
            return "events";
        case CommandOutcome::Kind::nothing:
            return "nothing";
        case CommandOutcome::Kind::refused:
            return "refused";
        case CommandOutcome::Kind::voided:
            return "voided";
    }
    return "unknown";
}

}  // namespace

bool SagaEngine::Work::wave() {
    bool any = read_stale();
    any = pass_time() || any;
    any = send() || any;
    let_go();
    return any;
}

bool SagaEngine::Work::delayed(const saga::Active& active) const {
    return active.not_before && time() < *active.not_before;
}

bool SagaEngine::Work::read_stale() {
    bool any = false;
    for (auto& [key, active] : active_) {
        if (!active.stale || !active.lost.empty() || delayed(active)) continue;
        any = true;
        try {
            read(active);
        } catch (const std::exception& error) {
            if (!saga::is_its_own(error)) throw;
            lose(active, error.what());
            active.over = saga::end_is_recorded(store_, active.stream);
        }
    }
    return any;
}

void SagaEngine::Work::read(saga::Active& active) {
    saga::LoadedSaga loaded = saga::load(store_, active.stream);
    if (loaded.saga.alive() && !saga::knows_rule_of(loaded.saga.begun())) {
        active.lost =
            "a newer program began it, with command ids that this one cannot make; "
            "start such a program, and do nothing by hand";
        return;
    }
    active.keep(std::move(loaded.saga));
    if (active.version != loaded.version) active.left_since.reset();
    active.version = loaded.version;
    active.sends = std::move(loaded.sends);
    active.not_before.reset();  // it was of a command that may be another's by now
    if (!loaded.closed) return;
    lose(active, "its stream is closed");
    active.over = active.saga.ended();
}

/// What follows is recorded with that of others. A saga that nothing follows for stays as it is.
void SagaEngine::Work::propose(saga::Active& active, saga::Move move,
                               std::vector<Pending>& pending) {
    if (move.decision.events().empty()) return active.keep(std::move(move.saga));
    Append append = saga::append_of(active.stream, active.version, move);
    pending.push_back({&active, std::move(move), std::move(append)});
}

/// Limits that have passed count before anything is sent again.
bool SagaEngine::Work::pass_time() {
    std::vector<Pending> pending;
    const Timestamp at = time();
    for (auto& [key, active] : active_) {
        if (active.stale) continue;
        const auto due = saga::due(active.saga);
        if (!due || *due > at) continue;
        propose(active, saga::move(active.take(), saga::Learn{at, {}}), pending);
    }
    const bool any = !pending.empty();
    if (any) commit(std::move(pending));
    return any;
}

bool SagaEngine::Work::send() {
    std::vector<saga::Errand> commands, claims;
    for (auto& [key, active] : active_) {
        // Answers that an error kept from being recorded are asked for again, under the same ids.
        active.inbox.clear();
        active.broken.clear();
        if (active.stale || !active.saga.alive() || delayed(active)) continue;
        const bool certain = active.saga.phase != saga::Phase::making_certain;
        for (const saga::Timed& open : active.saga.open) {
            if (commands.size() + claims.size() >= options_.commands_per_commit) break;
            (certain ? commands : claims).push_back({&active, open.step});
        }
    }
    if (commands.empty() && claims.empty()) return false;
    bool put_off = false;  // they are passed over now, and others have their turn
    const auto take_each = [&](const std::vector<saga::Report>& reports) {
        for (const saga::Report& report : reports) {
            take(report);
            put_off = put_off || report.later || report.newer;
        }
    };
    std::vector<saga::Report> reports = saga::claim(store_, claims);
    try {
        saga::deliver(store_, routes_, commands, reports);
    } catch (const Error&) {
        // What is known by then is recorded: it would be asked for, and lost, each time.
        take_each(reports);
        learn();
        throw;
    }
    take_each(reports);
    return learn() || put_off;
}

void SagaEngine::Work::take(const saga::Report& report) {
    saga::Active& active = *report.errand.active;
    if (report.later) return later(active);
    if (report.newer && leave_to_newer(active)) return;
    if (!report.broken.empty()) {
        active.broken = report.broken;
        return;
    }
    active.inbox.push_back(*report.answer);
    ++progress_.commands;
    metrics()
        .counter("recount_saga_commands_total", "Commands of sagas that were answered",
                 {{"saga", active.name}, {"outcome", name_of(report.answer->kind)}})
        .add();
}

/// Records the answers, and what follows from them, of all sagas at once.
bool SagaEngine::Work::learn() {
    std::vector<Pending> pending;
    const Timestamp at = time();
    for (auto& [key, active] : active_) {
        if (active.inbox.empty() && active.broken.empty()) continue;
        saga::Move move =
            saga::move(active.take(), saga::Learn{at, std::exchange(active.inbox, {})});
        if (!active.broken.empty())
            move = and_then(std::move(move),
                            saga::AskPerson{at, std::exchange(active.broken, {}), true});
        propose(active, std::move(move), pending);
    }
    const bool any = !pending.empty();
    if (any) commit(std::move(pending));
    return any;
}

void SagaEngine::Work::fill(saga::Active& active, saga::Move move, const Append& append,
                            Version version) {
    active.keep(std::move(move.saga));
    active.version = version;
    active.sends.note(move.decision, append.metadata.command_id);
    active.failures = 0;
    active.not_before.reset();
    active.left_since.reset();
    for (const auto& event : move.decision.events())
        if (std::holds_alternative<saga::v1::SagaEnded>(event)) count_end(active);
}

/// Once, when its end is recorded: an ended saga may be looked at again, as when it is resumed.
void SagaEngine::Work::count_end(const saga::Active& active) {
    const bool completed = active.saga.phase == saga::Phase::completed;
    ++(completed ? progress_.completed : progress_.compensated);
    metrics()
        .counter("recount_saga_ended_total", "Sagas that ended",
                 {{"saga", active.name}, {"how", completed ? "completed" : "compensated"}})
        .add();
}

/// One commit for the moves of many sagas, and for the cursors that are due. Whose stream was
/// changed by another engine is read again.
void SagaEngine::Work::commit(std::vector<Pending> pending) {
    std::vector<Append> appends;
    for (Pending& one : pending) appends.push_back(std::move(one.append));
    std::vector<Registered*> cursors;  // whose appends are behind those of the moves
    for (Registered* registered : due_cursors()) {
        for (Append& append : cursor_appends(*registered)) {
            appends.push_back(std::move(append));
            cursors.push_back(registered);
        }
    }

    const std::vector<saga::Verdict> verdicts = saga::append_each(store_, appends);
    for (std::size_t i = 0; i < pending.size(); ++i) {
        saga::Active& active = *pending[i].active;
        if (verdicts[i].done()) {
            fill(active, std::move(pending[i].move), appends[i], verdicts[i].version());
        } else if (!verdicts[i].error.empty()) {
            ask_person(active, "a move of it cannot be recorded: " + verdicts[i].error);
        } else if (verdicts[i].result->kind != AppendResult::Kind::conflict) {
            const bool closed = verdicts[i].result->kind == AppendResult::Kind::closed;
            lose(active, closed ? "its stream is closed" : verdicts[i].result->message);
        }
    }
    for (Registered* registered : cursors) registered->cursor_due = false;
    for (std::size_t i = 0; i < cursors.size(); ++i)
        if (!verdicts[pending.size() + i].done()) cursors[i]->cursor_due = true;
}

void SagaEngine::Work::ask_person(saga::Active& active, const std::string& why) {
    try {
        saga::LoadedSaga loaded = saga::load(store_, active.stream);
        const saga::Move move =
            saga::move(std::move(loaded.saga), saga::AskPerson{time(), why, true});
        if (!move.decision.events().empty())
            (void)store_.append(saga::append_of(active.stream, loaded.version, move));
        later(active);
    } catch (const std::exception& error) {
        if (!saga::is_its_own(error)) throw;
        lose(active, why + "; " + error.what());
    }
}

/// Its own stream takes or gives nothing any more: what a person has to know is kept in the cursor.
void SagaEngine::Work::lose(saga::Active& active, const std::string& why) {
    active.lost = saga::reason("it cannot be carried on: " + why +
                               "; see what it had done, and do the rest by hand");
    active.stale = true;
}

void SagaEngine::Work::later(saga::Active& active) {
    const int doublings = std::min(active.failures++, 16);
    const Duration pause =
        std::min(options_.longest_pause, options_.shortest_pause * (1 << doublings));
    active.not_before = time() + pause;
}

/// While programs are replaced one by one, the stream of a step may hold events of a type that only
/// the newer ones know. Theirs handles the command, and what it came to is found in the saga's
/// stream, which is read again after each pause. False when none has for too long.
bool SagaEngine::Work::leave_to_newer(saga::Active& active) {
    const Timestamp now = time();
    if (!active.left_since) active.left_since = now;
    if (now - *active.left_since >= options_.wait_for_newer) return false;
    later(active);
    active.stale = true;
    metrics()
        .counter("recount_saga_left_to_newer_total",
                 "Commands left to a newer program, which knows the events of their stream",
                 {{"saga", active.name}})
        .add();
    return true;
}

/// Sagas that ended, wait for a person or lost their stream are kept no longer.
void SagaEngine::Work::let_go() {
    for (auto at = active_.begin(); at != active_.end();) {
        const saga::Active& active = at->second;
        const bool lost = !active.lost.empty();
        if (lost || !active.stale) note_attention(active);
        if (lost) {
            at = active_.erase(at);
            continue;
        }
        if (active.stale || active.saga.alive()) {
            ++at;
            continue;
        }
        at = active_.erase(at);
    }
}

}  // namespace recount
