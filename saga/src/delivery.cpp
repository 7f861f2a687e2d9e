#include "delivery.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/saga/command_id.hpp>

#include "reason.hpp"

namespace recount::saga {
namespace {

/// A command made ready: where it goes and what goes with it.
struct Parcel {
    const Route* route = nullptr;
    std::string id;  // of the target stream, without its category
    const std::string* payload = nullptr;
    CommandOptions options;
};

Way way_of(const Saga& saga) { return saga.phase == Phase::undoing ? Way::back : Way::forth; }

std::string step_name(const Saga& saga, std::uint32_t step) {
    return step == saga.when_undone() ? std::string{} : saga.plan->step(step).name();
}

std::string id_of(const Errand& errand) {
    const Saga& saga = errand.active->saga;
    return command_id(saga.begun(), step_name(saga, errand.step), way_of(saga),
                      saga.attempts.at(errand.step));
}

const v1::Command& command_of(const Saga& saga, std::uint32_t step) {
    if (step == saga.when_undone()) return saga.begun().when_undone();
    const v1::Step& planned = saga.plan->step(step);
    return way_of(saga) == Way::back ? planned.undo() : planned.command();
}

Parcel pack(const Routes& routes, const Errand& errand) {
    const Active& active = *errand.active;
    const v1::Command& command = command_of(active.saga, errand.step);
    const auto route = routes.find(command.type());
    if (route == routes.end())
        throw InvalidArgument("no route for " + command.type() +
                              "; call deliver for it, then resume the saga");
    const StreamName target = StreamName::trusted(command.stream());
    if (target.category() != route->second.category)
        throw InvalidArgument(command.type() + " was recorded for stream " + command.stream() +
                              ", but goes to category " + route->second.category +
                              " now; deliver it there again, then resume the saga");
    Parcel parcel;
    parcel.route = &route->second;
    parcel.id = target.id();
    parcel.payload = &command.payload();
    parcel.options.command_id = id_of(errand);
    parcel.options.correlation_id = active.stream.full();
    parcel.options.causation_id = active.sends.of(errand.step);
    parcel.options.occurred_at =
        Timestamp{std::chrono::microseconds{active.saga.begun().occurred_at_us()}};
    if (way_of(active.saga) == Way::back && errand.step != active.saga.when_undone())
        parcel.options.headers["undoes"] =
            command_id(active.saga.begun(), step_name(active.saga, errand.step), Way::forth, 1);
    return parcel;
}

Answer answer_of(const Errand& errand, const CommandOutcome& outcome) {
    const Saga& saga = errand.active->saga;
    return {errand.step, way_of(saga), saga.attempts.at(errand.step), outcome.kind,
            outcome.rejection};
}

/// True when what is being handled concerns one command only; false for what concerns the store.
bool concerns_one() {
    try {
        throw;
    } catch (const Contended&) {
        return true;
    } catch (const Error& error) {
        return !error.retryable();
    } catch (...) {
        return true;
    }
}

/// A closed stream never takes the command, under whatever id: that is an answer, for who can be
/// told no.
bool may_be_refused(const Errand& errand) {
    const Saga& saga = errand.active->saga;
    return way_of(saga) == Way::forth && errand.step != saga.when_undone();
}

/// The report of what is being handled.
Report failed(const Errand& errand) {
    if (!concerns_one()) throw;
    Report report{errand, std::nullopt, {}, false};
    try {
        try {
            throw;
        } catch (const UnknownType&) {
            report.newer = true;
            throw;
        } catch (const StreamClosed& error) {
            if (!may_be_refused(errand)) throw;
            const Saga& saga = errand.active->saga;
            report.answer = {errand.step, Way::forth, saga.attempts.at(errand.step),
                             CommandOutcome::Kind::refused,
                             Rejection{"stream_closed", reason(error.what())}};
        }
    } catch (const Contended&) {
        report.later = true;
    } catch (...) {
        const std::string name = step_name(errand.active->saga, errand.step);
        report.broken = "the command of " +
                        (name.empty() ? "when all is undone" : "step \"" + name + "\"") +
                        " cannot be handled: " + thrown();
    }
    return report;
}

Report deliver_alone(const Routes& routes, const Errand& errand) {
    try {
        const Parcel parcel = pack(routes, errand);
        const Outcome outcome = parcel.route->handle(parcel.id, *parcel.payload, parcel.options);
        return {errand, answer_of(errand, outcome.details()), {}, false};
    } catch (...) {
        return failed(errand);
    }
}

}  // namespace

void deliver(Streams& streams, const Routes& routes, std::span<const Errand> errands,
             std::vector<Report>& reports) {
    Batch batch{streams};
    std::vector<Errand> together;
    for (const Errand& errand : errands) {
        try {
            const Parcel parcel = pack(routes, errand);
            parcel.route->enqueue(batch, parcel.id, *parcel.payload, parcel.options);
            together.push_back(errand);
        } catch (...) {
            // What passes may be one decider's: whoever looks at the store next meets what is its.
            reports.push_back(concerns_one() ? failed(errand)
                                             : Report{errand, std::nullopt, {}, true});
        }
    }
    std::vector<Outcome> outcomes;
    try {
        outcomes = batch.commit();
    } catch (...) {
        // One of them spoils the group: alone, each gets its own verdict, and what the group did
        // already is repeated under its id.
        if (!concerns_one()) throw;
        for (const Errand& errand : together) reports.push_back(deliver_alone(routes, errand));
        return;
    }
    for (std::size_t i = 0; i < together.size(); ++i) {
        const CommandOutcome& outcome = outcomes.at(i).details();
        reports.push_back({together[i], answer_of(together[i], outcome), {}, false});
    }
}

// Ids can be made of all of them: a saga of a rule that is not known is not kept once it is read.
std::vector<Report> claim(Streams& streams, std::span<const Errand> errands) {
    std::vector<Report> reports;
    for (const Errand& errand : errands) {
        try {
            const CommandOutcome outcome = streams.void_command(id_of(errand));
            reports.push_back({errand, answer_of(errand, outcome), {}, false});
        } catch (...) {
            reports.push_back(failed(errand));
        }
    }
    return reports;
}

}  // namespace recount::saga
