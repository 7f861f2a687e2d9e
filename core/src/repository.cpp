#include <recount/core/repository.hpp>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>

#include "hasher.hpp"
#include "serialise.hpp"

namespace recount::command {
namespace {

/// What a repeat of the command must bring again: where it goes, what it is, what it says.
Hash request_of(const StreamName& stream, const google::protobuf::Message& command,
                const std::optional<std::string>& content = {}) {
    const std::string& type = command.GetDescriptor()->full_name();
    const std::string bytes = content ? *content : serialise(command);
    return thread_hasher()
        .add("recount/command/1")
        .add_u32(static_cast<std::uint32_t>(stream.full().size()))
        .add(stream.full())
        .add_u32(static_cast<std::uint32_t>(type.size()))
        .add(type)
        .add(bytes)
        .finish();
}

}  // namespace

std::string id_of(Streams& streams, const CommandOptions& options) {
    return options.command_id.empty() ? to_string(new_uuid7(streams.environment()))
                                      : options.command_id;
}

void throw_unknown(const OutcomeUnknown& caught, const std::string& command_id) {
    throw OutcomeUnknown(std::string{caught.what()} + "; no command id was given, so it has " +
                             command_id +
                             ": send it again under that id or void it, but not without, and "
                             "better give each command an id of its own",
                         false);
}

Append make_append(const CommandOptions& options, std::string command_id, const StreamName& stream,
                   const google::protobuf::Message& command, Version decided_on) {
    Append append;
    append.metadata = {std::move(command_id), options.correlation_id, options.causation_id,
                       options.traceparent,   options.headers,        options.occurred_at};
    append.request = request_of(stream, command, options.content);
    append.writes.push_back({stream, Expected::exactly(decided_on), {}});
    if (options.session != nullptr) append.after = options.session->token().stores();
    return append;
}

void add_event(Append& append, const google::protobuf::Message& event) {
    append.writes.front().events.push_back(new_event(event));
}

bool back_off(Streams& streams, const RepositoryOptions& options, int attempt) {
    static constexpr int most_doublings = 10;
    if (attempt >= options.attempts) return false;
    Environment& environment = streams.environment();
    const int doublings = std::clamp(attempt - 1, 0, most_doublings);
    const double most = static_cast<double>(options.backoff.count()) * (1 << doublings);
    const auto micros = static_cast<std::int64_t>(most * environment.random.uniform());
    environment.scheduler.sleep(Duration{micros});
    return true;
}

void throw_contended(const StreamName& stream, int attempts, const Conflict& conflict) {
    throw Contended("stream " + stream.full() + " was changed by others during each of " +
                    std::to_string(std::max(attempts, 1)) + " attempts (" + to_string(conflict) +
                    "); try again later, or give its commands to one writer");
}

void check_same_store(bool same) {
    if (same) return;
    throw InvalidArgument(
        "the batch was made for another store than the repository; make both of one store");
}

}  // namespace recount::command

namespace recount {

std::optional<CommandOutcome> find_outcome(Streams& streams, const StreamName& stream,
                                           const google::protobuf::Message& command,
                                           std::string_view command_id,
                                           const std::optional<std::string>& content) {
    auto first = streams.find_outcome(command_id);
    if (!first || first->kind == CommandOutcome::Kind::voided ||
        first->request == command::request_of(stream, command, content)) {
        return first;
    }
    throw CommandReused("command id " + std::string{command_id} + " was used before, at " +
                        to_string(first->recorded_at) + ", for another command than this " +
                        command.GetDescriptor()->full_name() + " on stream " + stream.full() +
                        "; give each command an id of its own, and repeat it as it was");
}

}  // namespace recount
