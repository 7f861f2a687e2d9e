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

/// The commands of one stream that share an append: that of who has the turn, and those that wait.
/// Each is decided on what the earlier ones make of the stream, and has a verdict of its own; when
/// one before it did not come to be, it conflicts and waits again. A part of Repository; one
/// thread.
template <class State>
class CommandGroup {
public:
    CommandGroup(Streams& streams, Turns::Turn& turn) : streams_(streams), waiting_(turn, most) {}

    /// The verdict on `own`. `pending()` is the state that it leaves, and asked for when others
    /// wait.
    template <class Pending>
    AppendResult append(Append own, const Pending& pending) {
        std::vector<Append> group;
        group.push_back(std::move(own));
        if (waiting_.size() > 0) {
            pending_ = pending();
            for (std::size_t i = 0; i < waiting_.size() && pending_; ++i) decide(i, group);
        }
        if (decided_.empty()) return streams_.append(group.front());
        return settle(append_all(group), group);
    }

    /// The state that all of them leave, if every one was committed as it was decided.
    std::optional<Loaded<State>> state() && {
        if (!as_decided_) return {};
        return std::move(pending_);
    }

private:
    static constexpr std::size_t most = 63;
    using Waiting = WaitingCommand<State>;

    Waiting& at(std::size_t i) { return static_cast<Waiting&>(waiting_[i]); }

    void decide(std::size_t i, std::vector<Append>& group) {
        try {
            if (auto append = at(i).decide_on(*pending_)) {
                append->follows = last_writer(group);
                group.push_back(*std::move(append));
                decided_.push_back(i);
            }
        } catch (...) {
            at(i).fail(std::current_exception());
            waiting_.done(i);
            pending_.reset();  // it may be half folded
        }
    }

    static std::string last_writer(const std::vector<Append>& group) {
        for (auto each = group.rbegin(); each != group.rend(); ++each) {
            if (!each->writes.empty()) return each->metadata.command_id;
        }
        return {};
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

    AppendResult settle(std::vector<AppendResult> results, std::span<const Append> group) {
        as_decided_ = pending_ && results.front().kind == AppendResult::Kind::committed;
        if (as_decided_) follow(results.front(), group.front());
        for (std::size_t k = 0; k < decided_.size(); ++k) {
            Waiting& command = at(decided_[k]);
            AppendResult& result = results[k + 1];
            as_decided_ = as_decided_ && result.kind == AppendResult::Kind::committed;
            if (result.kind == AppendResult::Kind::conflict) continue;  // it waits again
            try {
                if (as_decided_) follow(result, group[k + 1]);
                command.succeed(accepted(std::move(result)));
            } catch (...) {
                command.fail(std::current_exception());
            }
            waiting_.done(decided_[k]);
        }
        return accepted(std::move(results.front()));
    }

    void follow(const AppendResult& result, const Append& append) {
        const std::size_t events = append.writes.empty() ? 0 : append.writes.front().events.size();
        StateLoader<State>::follow(*pending_, *result.outcome, events);
    }

    Streams& streams_;
    Turns::Turn::Errands waiting_;
    std::optional<Loaded<State>> pending_;
    std::vector<std::size_t> decided_;
    bool as_decided_ = false;
};

}  // namespace recount
