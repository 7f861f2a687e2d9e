#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <recount/core/batch.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/outcome.hpp>
#include <recount/core/session.hpp>
#include <recount/core/state_cache.hpp>
#include <recount/core/streams.hpp>

namespace recount {

/// What a caller may say about a command. All of it optional.
struct CommandOptions {
    Session* session = nullptr;   // its writes and reads; grows by what this command wrote and saw
    std::string command_id = {};  // makes the command happen once, whatever is sent again
    std::string correlation_id = {};
    std::string causation_id = {};
    std::string traceparent = {};
    std::map<std::string, std::string> headers = {};
    std::optional<Timestamp> occurred_at = {};
    std::optional<Version> expected = {};  // the caller decided on this version: else refused
};

struct RepositoryOptions {
    int attempts = 5;  // decisions on ever newer state before Contended is thrown
    Duration backoff = std::chrono::milliseconds{2};  // doubles with each attempt, with full jitter
    std::size_t cached_states = 1024;                 // 0 turns the cache off
    std::size_t page = 1000;                          // events read at a time
};

/// The pure half of command handling, without templates on the store's side. See repository.cpp.
namespace command {
Append make_append(const CommandOptions& options, std::string command_id, const StreamName& stream,
                   const google::protobuf::Message& command, Version decided_on);
/// Throws CommandReused when the outcome is of a command with other content.
void check_same_request(const CommandOutcome& outcome, const StreamName& stream,
                        const google::protobuf::Message& command);
void add_event(Append& append, const google::protobuf::Message& event);
/// Waits a random part of `backoff` · 2^attempt; false when that was the last attempt allowed.
bool back_off(Streams& streams, const RepositoryOptions& options, int attempt);
[[noreturn]] void throw_contended(const StreamName& stream, int attempts, const Conflict& conflict);
/// Throws InvalidArgument unless a batch and the repository that adds to it are of one store.
void check_same_store(bool same);
}  // namespace command

/// Handles the commands of one kind of stream: load, fold, decide, append at the version read. When
/// another writer was faster the decision is made again on the newer state, at most `attempts` times.
///
/// Thread-safe; the store must outlive it. Throws what the store throws, and Contended.
///
///     recount::Repository<Cart> carts{*store};
///     auto outcome = carts.handle("17", add("mug", 2), {.command_id = request_id});
///     if (!outcome) spdlog::warn("refused: {}", outcome.rejection().code);
template <class State>
class Repository {
public:
    static_assert(checked_state<State>());

    explicit Repository(Streams& streams, RepositoryOptions options = {})
        : streams_(streams), options_(options), cache_(options.cached_states) {}

    template <class Command>
    Outcome handle(std::string_view id, const Command& command,
                   const CommandOptions& options = {}) {
        (void)sizeof(check::DecideOverload<State, Command>);
        if constexpr (Decides<State, Command>) {
            return decide_and_append(StreamName{State::category, id}, command, options);
        } else {
            return {};
        }
    }

    /// Decides now, on what the batch has made of the stream so far; committed with the batch.
    /// The session in `options` must live until then.
    template <class Command>
    void enqueue(Batch& batch, std::string_view id, const Command& command,
                 const CommandOptions& options = {}) {
        (void)sizeof(check::DecideOverload<State, Command>);
        if constexpr (Decides<State, Command>) {
            command::check_same_store(&batch.streams_ == &streams_);
            decide_in_batch(batch, StreamName{State::category, id}, command, options);
        }
    }

    /// The state of a stream as it is now, and its version.
    Loaded<State> load(std::string_view id, Session* session = nullptr) {
        const StreamName stream{State::category, id};
        Loaded<State> loaded = load_for(stream, true);
        refresh(stream, loaded);
        if (session != nullptr) session->saw(seen(loaded));
        return loaded;
    }

private:
    template <class Command>
    Outcome decide_and_append(const StreamName& stream, const Command& command,
                              const CommandOptions& options) {
        const std::string command_id = id_of(options);
        Conflict conflict;
        for (int attempt = 0; attempt == 0 || command::back_off(streams_, options_, attempt);
             ++attempt) {
            Loaded<State> loaded = load_for(stream, /*use_cache=*/attempt == 0);
            if (options.expected && *options.expected != loaded.version) {
                if (auto first = first_outcome(stream, command, options)) return *first;
                refresh(stream, loaded);
                if (*options.expected != loaded.version) return outdated(stream, loaded, options);
            }
            Decision<State> decision = decide(std::as_const(loaded.state), command);
            if (decision.events().empty() && options.command_id.empty()) {
                // Nothing will be appended, so nothing would notice that the cached state was old.
                if (refresh(stream, loaded)) {
                    if (options.expected) return outdated(stream, loaded, options);
                    decision = decide(std::as_const(loaded.state), command);
                }
                if (decision.events().empty())
                    return unrecorded(command_id, decision, loaded, options);
            }
            AppendResult result = streams_.append(
                append_of(stream, loaded.version, command, command_id, decision, options));
            if (result.outcome) {
                if (result.outcome->streams.empty()) saw(loaded, options);
                settle_cache(stream, std::move(loaded), decision, result);
                return finish(std::move(result), options);
            }
            cache_.drop(stream.full());
            conflict = std::move(result.conflict);
        }
        command::throw_contended(stream, options_.attempts, conflict);
    }

    template <class Command>
    void decide_in_batch(Batch& batch, const StreamName& stream, const Command& command,
                         const CommandOptions& options) {
        CommandOptions kept = options;
        kept.command_id = id_of(options);
        Loaded<State>& pending = pending_state(batch, stream);
        Batch::Entry entry;
        std::size_t events = 0;
        if (!options.expected || *options.expected == pending.version) {
            Decision<State> decision = decide(std::as_const(pending.state), command);
            entry.append =
                append_of(stream, pending.version, command, kept.command_id, decision, kept);
            events = decision.events().size();
            for (const auto& event : decision.events()) {
                pending.state = fold(std::move(pending.state), event);
                ++pending.version.value;
            }
        }
        entry.settle = [this, stream, command, kept, events, &pending](AppendResult result) {
            if (!result.outcome) return decide_and_append(stream, command, kept);
            if (result.outcome->streams.empty()) saw(pending, kept);
            if (result.kind == AppendResult::Kind::committed)
                follow(pending, *result.outcome, events);
            return finish(std::move(result), kept);
        };
        batch.entries_.push_back(std::move(entry));
    }

    std::string id_of(const CommandOptions& options) {
        return options.command_id.empty() ? to_string(new_uuid7(streams_.environment()))
                                          : options.command_id;
    }

    Loaded<State> load_for(const StreamName& stream, bool use_cache) {
        if (use_cache) {
            if (auto cached = cache_.find(stream.full());
                cached && cached->incarnation == streams_.identity().incarnation) {
                return std::move(*cached);
            }
        }
        Loaded<State> loaded;
        loaded.incarnation = streams_.identity().incarnation;
        refresh(stream, loaded);
        return loaded;
    }

    /// Folds what the stream holds beyond `loaded`; true when there was anything. The last event folded
    /// is read again: when it is no longer the same, the stream's history changed, and all is folded anew.
    bool refresh(const StreamName& stream, Loaded<State>& loaded) {
        const bool again = loaded.version.value > 0;
        StreamPage page = streams_.read_stream(
            stream, {.from = Version{std::max<std::int64_t>(loaded.version.value, 1)},
                     .max_events = options_.page + (again ? 1 : 0)});
        if (again && !continues(loaded, page)) {
            loaded = Loaded<State>{};
            loaded.incarnation = streams_.identity().incarnation;
            refresh(stream, loaded);
            return true;
        }
        const Version before = loaded.version;
        for (;;) {
            for (const RecordedEvent& event : page.events) {
                if (event.at.version > loaded.version) fold_in(loaded, event);
            }
            if (page.end) break;
            page = streams_.read_stream(
                stream, {.from = Version{loaded.version.value + 1}, .max_events = options_.page});
        }
        const bool changed = loaded.version != before;
        if (changed) cache_.put(stream.full(), loaded);
        return changed;
    }

    static void fold_in(Loaded<State>& loaded, const RecordedEvent& event) {
        loaded.state = fold(std::move(loaded.state), event);
        loaded.version = event.at.version;
        loaded.last = event.at.position;
        loaded.last_event = event.at.event_id;
        loaded.last_hash = event.hash;
    }

    static bool continues(const Loaded<State>& loaded, const StreamPage& page) {
        if (page.events.empty()) return false;
        const RecordedEvent& last = page.events.front();
        return last.at.version == loaded.version && last.at.event_id == loaded.last_event &&
               (loaded.last_hash == Hash{} || loaded.last_hash == last.hash);
    }

    template <class Command>
    Append append_of(const StreamName& stream, Version version, const Command& command,
                     const std::string& command_id, const Decision<State>& decision,
                     const CommandOptions& options) {
        Append append = command::make_append(options, command_id, stream, command, version);
        if (decision.rejected()) append.rejection = decision.rejection();
        for (const auto& event : decision.events()) {
            std::visit([&](const auto& message) { command::add_event(append, message); }, event);
        }
        if (append.writes.front().events.empty()) {
            append.checks.push_back({stream, append.writes.front().expected});
            append.writes.clear();
        }
        return append;
    }

    Loaded<State>& pending_state(Batch& batch, const StreamName& stream) {
        std::any& slot = batch.states_[typeid(State).name() + ("/" + stream.full())];
        if (!slot.has_value()) {
            slot = load_for(stream, true);
            batch.after_.push_back([this, stream, &slot](bool as_decided) {
                if (as_decided) {
                    cache_.put(stream.full(), std::any_cast<Loaded<State>&>(slot));
                } else {
                    cache_.drop(stream.full());
                }
            });
        }
        return std::any_cast<Loaded<State>&>(slot);
    }

    void settle_cache(const StreamName& stream, Loaded<State> loaded,
                      const Decision<State>& decision, const AppendResult& result) {
        if (result.kind != AppendResult::Kind::committed || decision.events().empty()) return;
        for (const auto& event : decision.events())
            loaded.state = fold(std::move(loaded.state), event);
        loaded.version.value += static_cast<std::int64_t>(decision.events().size());
        follow(loaded, *result.outcome, decision.events().size());
        cache_.put(stream.full(), std::move(loaded));
    }

    /// Where a state stands whose stream has just been appended to. The store does not say the hash.
    static void follow(Loaded<State>& loaded, const CommandOutcome& outcome, std::size_t events) {
        if (outcome.streams.empty()) return;
        const StreamAppended& written = outcome.streams.front();
        loaded.last = written.first_position;
        loaded.last.n += written.last.value - written.first.value;
        loaded.last_event = event_id(outcome.command_id, static_cast<std::uint32_t>(events - 1));
        loaded.last_hash = Hash{};
    }

    void saw(const Loaded<State>& loaded, const CommandOptions& options) {
        if (options.session != nullptr) options.session->saw(seen(loaded));
    }

    StorePositions seen(const Loaded<State>& loaded) {
        const StoreIdentity& identity = streams_.identity();
        StorePositions positions{identity.id, loaded.incarnation,
                                 Positions{static_cast<std::size_t>(identity.partitions)}};
        if (loaded.last.n > 0) positions.positions.raise(loaded.last);
        return positions;
    }

    Outcome finish(AppendResult result, const CommandOptions& options) {
        const bool repeated = result.kind == AppendResult::Kind::repeated;
        if (options.session != nullptr) options.session->saw(result.outcome->reached);
        return Outcome{std::move(*result.outcome), repeated};
    }

    Outcome unrecorded(const std::string& command_id, const Decision<State>& decision,
                       const Loaded<State>& loaded, const CommandOptions& options) {
        CommandOutcome outcome;
        outcome.command_id = command_id;
        outcome.kind =
            decision.rejected() ? CommandOutcome::Kind::refused : CommandOutcome::Kind::nothing;
        outcome.rejection = decision.rejection();
        outcome.recorded_at = streams_.environment().clock.now();
        outcome.reached = seen(loaded);
        saw(loaded, options);
        return Outcome{std::move(outcome), false};
    }

    /// The caller decided on a version that the stream no longer has. Not recorded: the same command
    /// may be right on the version there is.
    Outcome outdated(const StreamName& stream, const Loaded<State>& loaded,
                     const CommandOptions& options) {
        const Decision<State> refusal =
            reject("version_changed",
                   stream.full() + " is at version " + std::to_string(loaded.version.value));
        return unrecorded(options.command_id, refusal, loaded, options);
    }

    /// A command that comes again after it succeeded finds the version moved on, by itself.
    template <class Command>
    std::optional<Outcome> first_outcome(const StreamName& stream, const Command& command,
                                         const CommandOptions& options) {
        if (options.command_id.empty()) return std::nullopt;
        auto found = streams_.find_outcome(options.command_id);
        if (!found) return std::nullopt;
        command::check_same_request(*found, stream, command);
        AppendResult result{AppendResult::Kind::repeated, std::move(*found), {}, {}};
        return finish(std::move(result), options);
    }

    Streams& streams_;
    RepositoryOptions options_;
    StateCache<State> cache_;
};

}  // namespace recount
