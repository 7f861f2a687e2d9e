#include "layout.hpp"

#include <algorithm>
#include <unordered_map>

#include <recount/core/append.hpp>
#include <recount/core/error.hpp>
#include <recount/saga/command_id.hpp>

namespace recount::saga {
namespace {

constexpr std::size_t name_bytes = 255;

[[noreturn]] void refuse(const std::string& why) { throw InvalidArgument(why); }

v1::Command resolved(const NewEvent& command, const Resolve& resolve) {
    v1::Command to;
    to.set_stream(resolve(command));
    to.set_type(command.type);
    to.set_payload(command.payload);
    return to;
}

bool fit_for_a_name(std::string_view name) {
    return !name.empty() && name.size() <= name_bytes && name.back() != '*' &&
           std::none_of(name.begin(), name.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

/// The steps' names in order, and the group that each pattern stands for.
class Patterns {
public:
    explicit Patterns(const std::vector<Plan::Described>& steps) {
        for (std::uint32_t step = 0; step < steps.size(); ++step) {
            if (!fit_for_a_name(steps[step].name)) {
                refuse("step " + std::to_string(step) +
                       " has no usable name; give it 1 to 255 bytes without control characters "
                       "and without a '*' at its end");
            }
            by_name_.emplace_back(steps[step].name, step);
        }
        std::sort(by_name_.begin(), by_name_.end());
        const auto twice = std::adjacent_find(
            by_name_.begin(), by_name_.end(),
            [](const auto& left, const auto& right) { return left.first == right.first; });
        if (twice != by_name_.end()) {
            refuse("two steps are called \"" + std::string{twice->first} +
                   "\"; give each a name of its own");
        }
    }

    std::uint32_t group_of(const std::string& step, const std::string& pattern) {
        const auto [known, is_new] =
            index_.try_emplace(pattern, static_cast<std::uint32_t>(groups_.size()));
        if (!is_new) return known->second;
        const bool prefix = !pattern.empty() && pattern.back() == '*';
        const std::string_view wanted{pattern.data(), pattern.size() - (prefix ? 1 : 0)};
        v1::Group group;
        auto at = std::lower_bound(by_name_.begin(), by_name_.end(), std::pair{wanted, 0U});
        for (;
             at != by_name_.end() && (prefix ? at->first.starts_with(wanted) : at->first == wanted);
             ++at) {
            group.add_members(at->second);
        }
        if (group.members().empty()) {
            refuse("step \"" + step + "\" comes after \"" + pattern +
                   "\", but no step is called so; name a step, or the beginning of names and '*'");
        }
        std::sort(group.mutable_members()->begin(), group.mutable_members()->end());
        groups_.push_back(std::move(group));
        return known->second;
    }

    std::vector<v1::Group>& groups() { return groups_; }

private:
    std::vector<std::pair<std::string_view, std::uint32_t>> by_name_;
    std::unordered_map<std::string, std::uint32_t> index_;
    std::vector<v1::Group> groups_;
};

/// Fills pages of bounded size: far below the limit of an event, and all together within that of
/// the append that begins a saga.
class Pages {
public:
    explicit Pages(const AppendLimits& limits)
        : step_bytes_(limits.event_bytes - std::min<std::size_t>(limits.event_bytes, 64)),
          page_bytes_(std::min(std::size_t{256} << 10, limits.event_bytes / 2)),
          plan_bytes_(limits.append_bytes - limits.append_bytes / 16) {}

    void add(v1::Step step) {
        make_room(step.ByteSizeLong(), step.name());
        *pages_.back()->add_steps() = std::move(step);
    }
    void add(v1::Group group) {
        make_room(group.ByteSizeLong(), "a dependency");
        *pages_.back()->add_groups() = std::move(group);
    }
    [[nodiscard]] std::vector<RecordedPlan::Page> take() const {
        return {pages_.begin(), pages_.end()};
    }

private:
    void make_room(std::size_t bytes, const std::string& what) {
        if (bytes > step_bytes_) {
            refuse("step \"" + what + "\" takes " + std::to_string(bytes) +
                   " bytes, more than an event may hold; make its commands smaller");
        }
        all_ += bytes + 8;
        if (all_ > plan_bytes_) {
            refuse("the plan takes more than " + std::to_string(plan_bytes_) +
                   " bytes; make its commands smaller, or several sagas of it");
        }
        if (pages_.empty() || in_page_ + bytes > page_bytes_) {
            pages_.push_back(std::make_shared<v1::StepsPlanned>());
            in_page_ = 0;
        }
        in_page_ += bytes + 8;
    }

    std::size_t step_bytes_, page_bytes_, plan_bytes_;
    std::vector<std::shared_ptr<v1::StepsPlanned>> pages_;
    std::size_t in_page_ = 0;
    std::size_t all_ = 0;
};

void refuse_circles(const std::vector<RecordedPlan::Page>& pages) {
    const RecordedPlan plan{v1::SagaBegun{}, pages};
    if (const auto step = plan.never_free()) {
        refuse("step \"" + plan.step(*step).name() +
               "\" can never be sent: it waits for steps that wait for each other in a circle; "
               "take one dependency out");
    }
}

}  // namespace

Layout lay_out(const Plan::Description& plan, const Resolve& resolve, const AppendLimits& limits) {
    if (plan.steps.empty()) refuse("the plan has no steps; give it one, or start no saga");
    if (plan.undo_attempts < 1) refuse("an undo is tried at least once; see Plan::retry_undos");
    if (plan.deadline < Duration::zero()) {
        refuse("the deadline is over before the saga begins; 0 is none, see Plan::deadline");
    }

    Layout layout;
    layout.steps = static_cast<std::uint32_t>(plan.steps.size());
    if (plan.when_undone) layout.when_undone = resolved(*plan.when_undone, resolve);

    Patterns patterns{plan.steps};
    Pages pages{limits};
    for (const Plan::Described& described : plan.steps) {
        if (described.within < Duration::zero()) {
            refuse("the limit of step \"" + described.name +
                   "\" is over before it is sent; 0 is none, see Step::within");
        }
        v1::Step step;
        step.set_name(described.name);
        *step.mutable_command() = resolved(described.command, resolve);
        if (described.undo) *step.mutable_undo() = resolved(*described.undo, resolve);
        for (const std::string& pattern : described.after)
            step.add_after(patterns.group_of(described.name, pattern));
        step.set_within_us(described.within.count());
        pages.add(std::move(step));
    }
    for (v1::Group& group : patterns.groups()) pages.add(std::move(group));
    layout.pages = pages.take();
    refuse_circles(layout.pages);
    return layout;
}

void describe(const Plan::Description& plan, const Layout& layout, v1::SagaBegun& begun) {
    begun.set_steps(layout.steps);
    if (layout.when_undone) *begun.mutable_when_undone() = *layout.when_undone;
    begun.set_deadline_us(plan.deadline.count());
    begun.set_undo_attempts(static_cast<std::uint32_t>(plan.undo_attempts));
    begun.set_undo_backoff_us(std::max<std::int64_t>(0, plan.undo_pause.count()));
    begun.set_command_ids(rule_of_new_sagas);
    if (plan.occurred_at) begun.set_occurred_at_us(plan.occurred_at->time_since_epoch().count());
}

}  // namespace recount::saga
