#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include <recount/core/append.hpp>
#include <recount/core/environment.hpp>
#include <recount/core/error.hpp>
#include <recount/core/session.hpp>
#include <recount/core/stream.hpp>
#include <recount/core/streams.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// What a caller may say about a command. All of it optional.
struct CommandOptions {
    Session* session = nullptr;   // its writes and reads; grows by what this command wrote and saw
    std::string command_id = {};  // makes the command happen once, whatever is sent again
    std::string correlation_id = {};
    std::string causation_id = {};
    std::string traceparent = {};  // as W3C's Trace Context has it, or InvalidArgument
    std::map<std::string, std::string> headers = {};
    std::optional<Timestamp> occurred_at = {};
    std::optional<Version> expected = {};  // the caller decided on this version: else refused
    /// The command's bytes, for who holds it as such, as a saga or a queue does: a repeat is known
    /// by them. Without, by what this program writes, and one that lacks a field of the command
    /// writes that one last. Only of bytes that are the same at each repeat.
    std::optional<std::string> content = {};
};

/// How a Repository reads, keeps and retries. To be changed for hot streams (attempts), large
/// states (cached_states) and long streams (snapshots).
struct RepositoryOptions {
    int attempts = 5;  // decisions on ever newer state before Contended is thrown
    Duration backoff = std::chrono::milliseconds{2};  // doubles with each attempt, with full jitter
    std::size_t cached_states = 1024;                 // 0 turns the cache off
    std::size_t page = 1000;                          // events read at a time
    std::int64_t snapshots = 0;  // one every so many events, of a State that Snapshots; 0: none
};

/// What became of a command when it was sent under this id before, for whoever replays many and
/// wants to pass over those that are done. Nothing proves nothing: see Streams::find_outcome.
/// `content` is that of the CommandOptions that it was sent with. Throws CommandReused when the id
/// stands for another command, or one on another stream.
std::optional<CommandOutcome> find_outcome(Streams& streams, const StreamName& stream,
                                           const google::protobuf::Message& command,
                                           std::string_view command_id,
                                           const std::optional<std::string>& content = {});

/// The pure half of command handling, without templates on the store's side. See repository.cpp.
namespace command {
/// The id that was given, or a new one.
std::string id_of(Streams& streams, const CommandOptions& options);
/// Throws what was caught, with the id that the caller does not know, and not retryable: sent again
/// without it, the command would be another one and might happen twice.
[[noreturn]] void throw_unknown(const OutcomeUnknown& caught, const std::string& command_id);
template <class Handle>
auto under_its_id(Streams& streams, const CommandOptions& options, const Handle& handle) {
    const std::string command_id = id_of(streams, options);
    try {
        return handle(command_id);
    } catch (const OutcomeUnknown& caught) {
        if (!options.command_id.empty()) throw;
        throw_unknown(caught, command_id);
    }
}
Append make_append(const CommandOptions& options, std::string command_id, const StreamName& stream,
                   const google::protobuf::Message& command, Version decided_on);
void add_event(Append& append, const google::protobuf::Message& event);
/// Waits a random part of `backoff` · 2^attempt; false when that was the last attempt allowed.
bool back_off(Streams& streams, const RepositoryOptions& options, int attempt);
[[noreturn]] void throw_contended(const StreamName& stream, int attempts, const Conflict& conflict);
/// Throws InvalidArgument unless a batch and the repository that adds to it are of one store.
void check_same_store(bool same);
}  // namespace command

}  // namespace recount
