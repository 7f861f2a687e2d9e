#include <recount/saga/recorded_plan.hpp>

#include <utility>

namespace recount::saga {

RecordedPlan::RecordedPlan(v1::SagaBegun begun, std::vector<Page> pages)
    : begun_(std::move(begun)), pages_(std::move(pages)) {
    index();
}

RecordedPlan RecordedPlan::with(Page page) const {
    std::vector<Page> pages = pages_;
    pages.push_back(std::move(page));
    return RecordedPlan{begun_, std::move(pages)};
}

const v1::Step& RecordedPlan::step(std::uint32_t index) const {
    const Where at = where_.at(index);
    return pages_[at.page]->steps(static_cast<int>(at.index));
}

std::span<const std::uint32_t> RecordedPlan::members(std::uint32_t group) const {
    const Where at = group_at_.at(group);
    const auto& members = pages_[at.page]->groups(static_cast<int>(at.index)).members();
    return {members.data(), static_cast<std::size_t>(members.size())};
}

std::span<const std::uint32_t> RecordedPlan::dependents(std::uint32_t group) const {
    return dependents_.at(group);
}

std::span<const std::uint32_t> RecordedPlan::groups_with(std::uint32_t step) const {
    return groups_with_.at(step);
}

std::optional<std::uint32_t> RecordedPlan::never_free() const {
    std::vector<std::uint32_t> waits(size());
    std::vector<std::size_t> missing(groups());
    std::vector<std::uint32_t> free;
    for (std::uint32_t group = 0; group < groups(); ++group) missing[group] = members(group).size();
    for (std::uint32_t at = 0; at < size(); ++at) {
        waits[at] = static_cast<std::uint32_t>(step(at).after_size());
        if (waits[at] == 0) free.push_back(at);
    }
    std::size_t done = 0;
    for (; done < free.size(); ++done) {
        for (const std::uint32_t group : groups_with(free[done])) {
            if (--missing[group] > 0) continue;
            for (const std::uint32_t dependent : dependents(group))
                if (--waits[dependent] == 0) free.push_back(dependent);
        }
    }
    if (done == size()) return std::nullopt;
    std::uint32_t stuck = 0;
    while (waits[stuck] == 0) ++stuck;
    return stuck;
}

void RecordedPlan::index() {
    for (std::uint32_t page = 0; page < pages_.size(); ++page) {
        for (int i = 0; i < pages_[page]->steps_size(); ++i)
            where_.push_back({page, static_cast<std::uint32_t>(i)});
        for (int i = 0; i < pages_[page]->groups_size(); ++i)
            group_at_.push_back({page, static_cast<std::uint32_t>(i)});
    }
    if (begun_.steps() > size()) return;  // groups are known when all pages are
    dependents_.resize(groups());
    groups_with_.resize(size());
    for (std::uint32_t at = 0; at < size(); ++at)
        for (const std::uint32_t group : step(at).after()) dependents_.at(group).push_back(at);
    for (std::uint32_t group = 0; group < groups(); ++group)
        for (const std::uint32_t member : members(group)) groups_with_.at(member).push_back(group);
}

}  // namespace recount::saga
