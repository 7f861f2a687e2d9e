#include "append_log.hpp"

#include <recount/core/error.hpp>

#include <spdlog/spdlog.h>

namespace recount {
namespace {

using Kind = AppendResult::Kind;

/// Names and ids have no control characters, but may hold spaces and quotation marks.
std::string quoted(std::string_view text) {
    std::string result{"\""};
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') result += '\\';
        result += letter;
    }
    return result + '"';
}

void log_committed(std::string_view store, const CommandOutcome& outcome) {
    if (outcome.streams.empty()) {
        spdlog::trace("nothing appended store={} command_id={}", quoted(store),
                      quoted(outcome.command_id));
    }
    for (const StreamAppended& written : outcome.streams) {
        spdlog::trace("appended store={} command_id={} stream={} version={} position={}",
                      quoted(store), quoted(outcome.command_id), quoted(written.stream.full()),
                      written.last.value, to_string(written.first_position));
    }
}

void log_conflict(std::string_view store, const Append& append, const Conflict& conflict) {
    for (const FailedCheck& failed : conflict.failed) {
        spdlog::debug("conflict store={} command_id={} stream={} version={} expected={}",
                      quoted(store), quoted(append.metadata.command_id),
                      quoted(failed.stream.full()), failed.actual.value,
                      quoted(to_string(failed.expected)));
    }
}

void log_verdict(std::string_view store, const Append& append, const AppendResult& result) {
    const auto say = [&](const char* what) {
        spdlog::debug("{} store={} command_id={}", what, quoted(store),
                      quoted(append.metadata.command_id));
    };
    switch (result.kind) {
        case Kind::committed:
            return log_committed(store, *result.outcome);
        case Kind::conflict:
            return log_conflict(store, append, result.conflict);
        case Kind::repeated:
            return say("repeated");
        case Kind::closed:
            return say("closed");
        case Kind::reused:
            return say("reused");
        case Kind::expired:
            return say("expired");
    }
}

}  // namespace

void log_verdicts(std::string_view store, std::span<const Append> group,
                  std::span<const AppendResult> results) {
    if (!spdlog::should_log(spdlog::level::debug)) return;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const bool plain = results[i].kind == Kind::committed;
        if (plain && !spdlog::should_log(spdlog::level::trace)) continue;
        log_verdict(store, group[i], results[i]);
    }
}

void log_decided_again(std::string_view store, const Append& append) {
    spdlog::debug("decided again store={} command_id={}", quoted(store),
                  quoted(append.metadata.command_id));
}

void log_failure(std::string_view store, std::span<const Append> group,
                 const std::exception& failure) {
    // Whoever may try again is told by the exception, perhaps thousands at once.
    const auto* error = dynamic_cast<const Error*>(&failure);
    const bool passes = error != nullptr && error->retryable();
    const auto level = passes ? spdlog::level::debug : spdlog::level::warn;
    if (!spdlog::should_log(level)) return;
    for (const Append& append : group) {
        spdlog::log(level, "append failed store={} command_id={} error={}", quoted(store),
                    quoted(append.metadata.command_id), quoted(failure.what()));
    }
}

}  // namespace recount
