#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "append_plan.hpp"
#include "postgres_session.hpp"
#include "store_base.hpp"

namespace recount::postgres {

/// What the conflicts of a group missed, read by statements that go with others. Results outlive
/// it.
class Missed {
public:
    using Wanted = std::function<bool(const Append& append)>;

    /// Of the appends that ask for it and that are `wanted`, unless it was read already.
    Missed(AppendGroup group, std::vector<AppendResult>& results, const Wanted& wanted);

    void add_to(std::vector<Statement>& statements) const;
    /// The answers to these, into the conflicts.
    void take(std::span<const Result> answers, const std::string& store) const;

private:
    struct Page {
        Conflict* conflict;
        StreamName stream;
        ReadStream wanted;
    };
    std::vector<Page> pages_;
};

/// Ends a transaction that wrote nothing; what its conflicts missed comes with the answer.
void end_with_missed(Session& session, AppendGroup group, std::vector<AppendResult>& results);

/// A group in which conflicts were decided again, to be planned anew: see Append::decide_again. One
/// whose conflict stands is not in it any more. Whatever it followed, or expected, may now look as
/// if it held; but it was decided on something else.
class DecidedAgain {
public:
    /// Whether an append may stand for another; throws when it never may.
    using MayStand = std::function<bool(const Append& anew, const Append& before)>;

    /// False when all verdicts stand. Who has waited until then is not asked any more.
    bool decide(AppendGroup group, const std::vector<AppendResult>& verdicts,
                const MayStand& may_stand, const Deadline& deadline);
    [[nodiscard]] AppendGroup group() const { return group_; }
    [[nodiscard]] const std::deque<Append>& appends() const { return appends_; }
    /// What became of all: `anew` of those in group(), else the first verdict; so also of those
    /// that conflict again, on what they brought at first. False when one that was to be committed
    /// is not any more: then `first` is as it was.
    bool settle(std::vector<AppendResult>& first, std::vector<AppendResult> anew) const;

private:
    std::deque<Append> appends_;
    std::vector<const Append*> group_;
    std::vector<std::size_t> places_;  // of group_'s in the group that it was
};

}  // namespace recount::postgres
