#include "loading.hpp"

#include <recount/core/error.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <limits>

#include "timed_id.hpp"

namespace recount::saga {
namespace {

constexpr std::size_t group_bytes = std::size_t{8} << 20;
constexpr std::size_t group_appends = 512;

std::size_t bytes_of(const Append& append) {
    std::size_t bytes = 256;
    for (const StreamWrite& write : append.writes)
        for (const NewEvent& event : write.events) bytes += event.payload.size() + 512;
    return bytes;
}

/// How many of the first appends go together.
std::size_t group_of(std::span<const Append> appends) {
    std::size_t bytes = 0;
    std::size_t count = 0;
    while (count < appends.size() && count < group_appends) {
        bytes += bytes_of(appends[count]);
        if (count > 0 && bytes > group_bytes) break;
        ++count;
    }
    return count;
}

Verdict append_one(Streams& streams, const Append& append) {
    try {
        return {streams.append(std::span{&append, 1}).at(0), {}};
    } catch (const Error& error) {
        if (error.retryable()) throw;
        return {std::nullopt, error.what()};
    }
}

}  // namespace

void Sends::note(const Decision<Saga>& decision, const std::string& command_id) {
    for (std::uint32_t index = 0; index < decision.events().size(); ++index) {
        const auto& event = decision.events()[index];
        if (const auto* sent = std::get_if<v1::StepsSent>(&event))
            note(to_string(event_id(command_id, index)), sent->steps());
        if (const auto* sent = std::get_if<v1::UndosSent>(&event))
            note(to_string(event_id(command_id, index)), sent->steps());
    }
}

const std::string& Sends::of(std::uint32_t step) const {
    static const std::string unknown;
    return step < by_step_.size() ? events_.at(by_step_[step]) : unknown;
}

StreamName stream_of(std::string_view name, std::string_view id) {
    if (id.empty()) throw InvalidArgument("a saga's id is not empty; see its id_of");
    return StreamName{Saga::category, std::string{name} + "." + std::string{id}};
}

namespace {

void note_sends(const RecordedEvent& event, Sends& sends) {
    const std::string id = to_string(event.at.event_id);
    if (event.at.type == type_name<v1::StepsSent>())
        sends.note(id, parse_as<v1::StepsSent>(event).steps());
    if (event.at.type == type_name<v1::UndosSent>())
        sends.note(id, parse_as<v1::UndosSent>(event).steps());
}

}  // namespace

LoadedSaga load(Streams& streams, const StreamName& stream) {
    LoadedSaga loaded;
    streams.visit_stream(stream, Version{1}, 1000, [&](const RecordedEvent& event) {
        loaded.saga = fold(std::move(loaded.saga), event);
        note_sends(event, loaded.sends);
        loaded.version = event.at.version;
        loaded.closed = event.at.type == stream_closed_type;
        return true;
    });
    return loaded;
}

bool end_is_recorded(Streams& streams, const StreamName& stream) {
    constexpr std::size_t behind_the_end = 100;  // second starts that a person was told of
    StreamPage page;
    try {
        page =
            streams.read_stream(stream, {.from = Version{std::numeric_limits<std::int64_t>::max()},
                                         .max_events = behind_the_end,
                                         .direction = Direction::backwards});
    } catch (const Error& error) {
        if (error.retryable()) throw;
    }
    return std::any_of(page.events.begin(), page.events.end(), [](const RecordedEvent& event) {
        return event.at.type == type_name<v1::SagaEnded>();
    });
}

bool is_its_own(const std::exception& error) {
    const auto is = [&]<class... Kind>() {
        return (... || (dynamic_cast<const Kind*>(&error) != nullptr));
    };
    return is.template operator()<UnreadableEvent, Divergence, StreamClosed, InvalidArgument,
                                  CommandReused, CommandExpired>();
}

Append append_of(const StreamName& stream, Version version, const Move& move) {
    Append append;
    StreamWrite write{stream, Expected::exactly(version), {}};
    for (const auto& event : move.decision.events()) {
        std::visit([&](const auto& message) { write.events.push_back(new_event(message)); }, event);
    }
    append.writes.push_back(std::move(write));
    append.metadata.correlation_id = stream.full();
    append.request = request_hash(append);
    append.metadata.command_id =
        to_string(timed_uuid("recount/saga/move/2",
                             stream.full() + '\0' + std::to_string(version.value) + '\0' +
                                 std::string{append.request.view()},
                             started_at(move.saga.begun())));
    return append;
}

std::vector<Verdict> append_each(Streams& streams, std::span<const Append> appends) {
    std::vector<Verdict> verdicts;
    while (!appends.empty()) {
        const auto group = appends.first(group_of(appends));
        appends = appends.subspan(group.size());
        std::vector<AppendResult> results;
        try {
            results = streams.append(group);
        } catch (const Error& error) {
            if (error.retryable()) throw;
            for (const Append& append : group) verdicts.push_back(append_one(streams, append));
            continue;
        }
        for (AppendResult& result : results) verdicts.push_back({std::move(result), {}});
    }
    return verdicts;
}

}  // namespace recount::saga
