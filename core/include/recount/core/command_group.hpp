#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recount/core/error.hpp>
#include <recount/core/state_loader.hpp>
#include <recount/core/streams.hpp>
#include <recount/core/turns.hpp>

namespace recount {

/// A command that waits for its turn on a stream, and may be decided by who has it. A part of
/// Repository.
template <class State>
class WaitingCommand final : public Turns::Errand {
public:
    /// Decides on that state and leaves it as the command does; nothing when the command has to
    /// look at the store by itself. Called by other threads.
    using Decide = std::function<std::optional<Append>(Loaded<State>& pending)>;

    explicit WaitingCommand(Decide decide) : decide_(std::move(decide)) {}

    std::optional<Append> decide_on(Loaded<State>& pending) { return decide_(pending); }
    void succeed(AppendResult result) { result_ = std::move(result); }
    void fail(std::exception_ptr failure) { failure_ = std::move(failure); }

    /// The result, with an outcome, once another has done it; throws what it threw.
    AppendResult done() && {
        if (failure_) std::rethrow_exception(failure_);
        return std::move(result_);
    }

private:
    Decide decide_;
    AppendResult result_;
    std::exception_ptr failure_;
};

/// A command as it was decided at last. A part of Repository.
template <class State>
struct Decided {
    Version on;
    Loaded<State> after;  // as it leaves the stream

    /// Whether this is what came to be: of several decisions it may be an earlier one.
    [[nodiscard]] bool is(const AppendResult& result) const {
        if (result.kind != AppendResult::Kind::committed) return false;
        if (result.outcome->streams.empty()) return after.version == on;
        const StreamAppended& written = result.outcome->streams.front();
        return written.first.value == on.value + 1 && written.last == after.version;
    }
};

/// Decides a command again on the state that was `known` and what a conflict brought beyond it. All
/// three outlive the append.
template <class State>
DecideAgain decide_again(WaitingCommand<State>& command, const Loaded<State>& known,
                         Decided<State>& own) {
    return [&](const Conflict& conflict) -> std::optional<Append> {
        Loaded<State> pending = known;
        if (!StateLoader<State>::catch_up(pending, conflict)) return {};
        const Version on = pending.version;
        auto append = command.decide_on(pending);
        if (append) own = {on, std::move(pending)};
        return append;
    };
}

/// The commands of one stream that share an append: that of who has the turn, and those that wait.
/// Each is decided on what the earlier ones make of the stream, and has a verdict of its own; when
/// one before it did not come to be, it conflicts and waits again. A store that can hold the stream
/// has them all decided again instead. A part of Repository; one thread at a time.
template <class State>
class CommandGroup {
public:
    /// `own`: the command of who has the turn, kept up to date by its Append::decide_again.
    CommandGroup(Streams& streams, Turns::Turn& turn, Decided<State>& own)
        : streams_(streams), waiting_(turn, most), own_(own) {}

    /// The verdict on the own command.
    AppendResult append(Append own) {
        std::vector<Append> group;
        group.push_back(std::move(own));
        if (waiting_.size() > 0) {
            follow_own(group.front());
            for (std::size_t i = 0; i < waiting_.size() && pending_; ++i) decide(i, group);
        }
        if (decided_.empty()) {
            AppendResult result = streams_.append(group.front());
            own_came_ = own_.is(result);
            if (own_came_) StateLoader<State>::follow(own_.after, *result.outcome);
            return result;
        }
        if (group.front().decide_again) {
            group.front().decide_again =
                [this, again = std::move(group.front().decide_again)](const Conflict& conflict) {
                    pending_.reset();
                    auto append = again(conflict);
                    if (append) follow_own(*append);
                    again_ = append.has_value();
                    return append;
                };
        }
        return settle(append_all(group));
    }

    /// The state that they leave, as far as it is known.
    std::optional<Loaded<State>> state() && {
        if (all_came_) return std::move(pending_);
        if (own_came_) return std::move(own_.after);
        return {};
    }

private:
    static constexpr std::size_t most = 63;
    using Waiting = WaitingCommand<State>;

    Waiting& at(std::size_t i) { return static_cast<Waiting&>(waiting_[i]); }

    void follow_own(const Append& own) {
        pending_ = own_.after;
        last_writer_ = own.writes.empty() ? std::string{} : own.metadata.command_id;
    }

    void decide(std::size_t i, std::vector<Append>& group) {
        try {
            if (auto append = decide_next(i)) {
                append->decide_again = [this, i](const Conflict&) { return decide_again(i); };
                group.push_back(*std::move(append));
                decided_.push_back(i);
            }
        } catch (...) {
            // What it was decided on may never come to be: its own thread decides it again.
            pending_.reset();  // it may be half folded
        }
    }

    std::optional<Append> decide_next(std::size_t i) {
        auto append = at(i).decide_on(*pending_);
        if (!append) return {};
        append->follows = last_writer_;
        if (!append->writes.empty()) last_writer_ = append->metadata.command_id;
        return append;
    }

    /// Behind the own one, or else what is pending holds this one already.
    std::optional<Append> decide_again(std::size_t i) {
        if (!again_ || !pending_) return {};
        try {
            return decide_next(i);
        } catch (...) {
            pending_.reset();  // it may be half folded
            throw;
        }
    }

    std::vector<AppendResult> append_all(std::span<const Append> group) {
        try {
            return streams_.append(group);
        } catch (const OutcomeUnknown&) {
            fail_all();
            throw;
        } catch (const Error& error) {
            if (error.retryable()) {
                fail_all();
                throw;
            }
        }
        // What fails for good may be one command's doing: the others must not suffer for it.
        decided_.clear();
        pending_.reset();  // it holds what they decided
        return streams_.append(group.first(1));
    }

    void fail_all() {
        for (const std::size_t i : decided_) {
            at(i).fail(std::current_exception());
            waiting_.done(i);
        }
    }

    AppendResult settle(std::vector<AppendResult> results) {
        own_came_ = own_.is(results.front());
        all_came_ = own_came_ && pending_;
        const Version end = all_came_ ? pending_->version : Version{};
        if (own_came_) StateLoader<State>::follow(own_.after, *results.front().outcome);
        if (all_came_) StateLoader<State>::follow(*pending_, *results.front().outcome);
        for (std::size_t k = 0; k < decided_.size(); ++k) {
            Waiting& command = at(decided_[k]);
            AppendResult& result = results[k + 1];
            all_came_ = all_came_ && result.kind == AppendResult::Kind::committed;
            if (result.kind == AppendResult::Kind::conflict) continue;  // it waits again
            try {
                if (all_came_) StateLoader<State>::follow(*pending_, *result.outcome);
                command.succeed(accepted(std::move(result)));
            } catch (...) {
                command.fail(std::current_exception());
            }
            waiting_.done(decided_[k]);
        }
        all_came_ = all_came_ && pending_->version == end;
        return accepted(std::move(results.front()));
    }

    Streams& streams_;
    Turns::Turn::Errands waiting_;
    Decided<State>& own_;
    std::optional<Loaded<State>> pending_;  // what all of them leave
    std::string last_writer_;               // its command
    std::vector<std::size_t> decided_;
    bool again_ = false;
    bool own_came_ = false, all_came_ = false;  // to be as they were decided
};

}  // namespace recount
