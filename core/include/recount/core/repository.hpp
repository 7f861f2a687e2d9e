#pragma once

#include <any>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <variant>

#include <recount/core/batch.hpp>
#include <recount/core/command_group.hpp>
#include <recount/core/command_handling.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/outcome.hpp>
#include <recount/core/state_loader.hpp>
#include <recount/core/streams.hpp>
#include <recount/core/turns.hpp>

namespace recount {

/// Handles the commands of one kind of stream: load, fold, decide, append at the version read. When
/// another writer was faster the decision is made again on the newer state, at most `attempts`
/// times. Commands on one stream take turns, so those of one repository do not conflict; those that
/// wait are decided by the thread that has the turn, and committed together with its own.
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
    static_assert(sizeof(check::WholeSnapshot<State>) > 0);

    explicit Repository(Streams& streams, RepositoryOptions options = {})
        : streams_(streams),
          options_(options),
          states_(streams, options.cached_states, options.page, options.snapshots),
          turns_(streams.environment().scheduler) {}

    template <class Command>
    Outcome handle(std::string_view id, const Command& command,
                   const CommandOptions& options = {}) {
        (void)sizeof(check::DecideOverload<State, Command>);
        if constexpr (Decides<State, Command>) {
            const StreamName stream{State::category, id};
            return command::under_its_id(streams_, options, [&](const std::string& command_id) {
                return decide_and_append(stream, command, command_id, options);
            });
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
        Loaded<State> loaded = states_.current(stream);
        if (session != nullptr) session->saw(states_.seen(loaded));
        return loaded;
    }

    /// How many commands wait for their turn on a stream.
    std::size_t waiting(std::string_view id) {
        return turns_.waiting(StreamName{State::category, id}.full());
    }

    /// The state as it was at a time (ReadStream::until), folded from the first event.
    Loaded<State> load_as_of(std::string_view id, Timestamp when) {
        return states_.as_of(StreamName{State::category, id}, when);
    }

private:
    template <class Command>
    Outcome decide_and_append(const StreamName& stream, const Command& command,
                              const std::string& command_id, const CommandOptions& options) {
        WaitingCommand<State> waiting{[&](Loaded<State>& pending) {
            return decide_while_waiting(stream, command, command_id, options, pending);
        }};
        auto turn = turns_.take(stream.full(), options.expected ? nullptr : &waiting);
        if (!turn) return finish(std::move(waiting).done(), options);
        Conflict conflict;
        Loaded<State> loaded = states_.recent(stream);
        for (int attempt = 0; attempt == 0 || again(stream, loaded, conflict, attempt); ++attempt) {
            if (options.expected && *options.expected != loaded.version) {
                if (auto first = first_outcome(stream, command, options)) return *first;
                states_.refresh(stream, loaded);
                if (*options.expected != loaded.version) return outdated(stream, loaded, options);
            }
            Decision<State> decision = decide(std::as_const(loaded.state), command);
            if (decision.events().empty() && options.command_id.empty()) {
                // Nothing is appended then, so nothing would notice that the cached state was old.
                if (states_.refresh(stream, loaded)) {
                    if (options.expected) return outdated(stream, loaded, options);
                    decision = decide(std::as_const(loaded.state), command);
                }
                if (decision.events().empty()) {
                    return unrecorded(command_id, decision, loaded, options);
                }
            }
            Append append =
                append_of(stream, loaded.version, command, command_id, decision, options);
            Decided<State> own{loaded.version, loaded};
            fold_decided(own.after, decision);  // what evolve cannot take is not appended
            if (attempt == 0 && options_.attempts > 1) {
                append.missed_events = states_.missed_events();
                if (!options.expected) append.decide_again = decide_again(waiting, loaded, own);
            }
            CommandGroup<State> group{streams_, *turn, own};
            AppendResult result = group.append(std::move(append));
            if (result.outcome) {
                if (auto after = std::move(group).state()) keep(stream, *std::move(after));
                return finish(std::move(result), options);
            }
            conflict = std::move(result.conflict);
        }
        command::throw_contended(stream, options_.attempts, conflict);
    }

    /// Brings the state up to date after a conflict; false when no attempt is left. At first on the
    /// events that came with the conflict; who lost twice waits, and reads what there is then.
    bool again(const StreamName& stream, Loaded<State>& loaded, Conflict& conflict, int attempt) {
        if (attempt == 1 && options_.attempts > 1) {
            loaded = states_.after(stream, std::move(loaded), conflict);
            return true;
        }
        if (!command::back_off(streams_, options_, attempt)) return false;
        states_.refresh(stream, loaded);
        return true;
    }

    /// Nothing when it has to look at the store by itself.
    template <class Command>
    std::optional<Append> decide_while_waiting(const StreamName& stream, const Command& command,
                                               const std::string& command_id,
                                               const CommandOptions& options,
                                               Loaded<State>& pending) {
        const Decision<State> decision = decide(std::as_const(pending.state), command);
        if (decision.events().empty() && options.command_id.empty()) return {};
        Append append = append_of(stream, pending.version, command, command_id, decision, options);
        fold_decided(pending, decision);
        return append;
    }

    void keep(const StreamName& stream, Loaded<State> loaded) {
        states_.snapshot_when_due(stream, loaded);
        states_.keep(stream, std::move(loaded));
    }

    struct Pending {
        Loaded<State> loaded;  // what a batch has made of a stream
        bool spoiled = false;  // not what the stream is: evolve threw, or a command did not come
                               // to be. Nothing more is decided on it, nor is it kept
    };

    template <class Command>
    void decide_in_batch(Batch& batch, const StreamName& stream, const Command& command,
                         const CommandOptions& options) {
        CommandOptions kept = options;
        kept.command_id = command::id_of(streams_, options);
        Pending& pending = pending_state(batch, stream);
        auto& [loaded, spoiled] = pending;
        std::optional<Append> append;
        if (!spoiled && (!options.expected || *options.expected == loaded.version)) {
            Decision<State> decision = decide(std::as_const(loaded.state), command);
            append = append_of(stream, loaded.version, command, kept.command_id, decision, kept);
            spoiled = true;
            fold_decided(loaded, decision);
            spoiled = false;
            std::string& last = batch.last_[stream.full()];
            append->follows = last;
            if (!decision.events().empty()) last = kept.command_id;
        }
        batch.add(std::move(append),
                  [this, stream, command, kept = std::move(kept), &pending](AppendResult result) {
                      if (result.kind != AppendResult::Kind::committed) pending.spoiled = true;
                      result = accepted(std::move(result));
                      if (!result.outcome)
                          return decide_and_append(stream, command, kept.command_id, kept);
                      if (result.kind == AppendResult::Kind::committed) {
                          StateLoader<State>::follow(pending.loaded, *result.outcome);
                      }
                      return finish(std::move(result), kept);
                  });
    }

    Pending& pending_state(Batch& batch, const StreamName& stream) {
        std::any& slot = batch.states_[typeid(State).name() + ("/" + stream.full())];
        if (!slot.has_value()) {
            slot = Pending{states_.recent(stream)};
            batch.after_.push_back([this, stream, &slot] {
                auto& pending = std::any_cast<Pending&>(slot);
                if (std::exchange(pending.spoiled, true)) return states_.drop(stream);
                keep(stream, std::move(pending.loaded));
            });
        }
        return std::any_cast<Pending&>(slot);
    }

    static void fold_decided(Loaded<State>& loaded, const Decision<State>& decision) {
        for (const auto& event : decision.events()) {
            loaded.state = fold(std::move(loaded.state), event);
            ++loaded.version.value;
        }
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

    void saw(const Loaded<State>& loaded, const CommandOptions& options) {
        if (options.session != nullptr) options.session->saw(states_.seen(loaded));
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
        outcome.reached = states_.seen(loaded);
        saw(loaded, options);
        return Outcome{std::move(outcome), false};
    }

    /// The caller decided on a version that the stream no longer has. Not recorded: the same
    /// command may be right on the version there is.
    Outcome outdated(const StreamName& stream, const Loaded<State>& loaded,
                     const CommandOptions& options) {
        const Decision<State> refusal =
            reject("version_changed",
                   stream.full() + " is at version " + std::to_string(loaded.version.value));
        return unrecorded(options.command_id, refusal, loaded, options);
    }

    /// A command that comes again after it succeeded finds the version moved on, by itself. It is
    /// for the store to say so: what is merely found may not have reached a standby yet.
    template <class Command>
    std::optional<Outcome> first_outcome(const StreamName& stream, const Command& command,
                                         const CommandOptions& options) {
        if (options.command_id.empty() || !streams_.find_outcome(options.command_id)) return {};
        Append again =
            command::make_append(options, options.command_id, stream, command, *options.expected);
        again.checks.push_back({stream, again.writes.front().expected});
        again.writes.clear();
        AppendResult result = streams_.append(again);
        if (!result.outcome) return {};
        return finish(std::move(result), options);
    }

    Streams& streams_;
    RepositoryOptions options_;
    StateLoader<State> states_;
    Turns turns_;
};

}  // namespace recount
