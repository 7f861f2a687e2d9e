#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "recount/saga.pb.h"

namespace recount::saga {

/// A plan as its saga's stream holds it, and its dependencies, both ways. A step waits for groups
/// of steps; a group is named once, however many wait for it, so that all of it is linear in what
/// the plan says. Immutable.
class RecordedPlan {
public:
    /// Never null. Pages are large, and shared by all that tell of them.
    using Page = std::shared_ptr<const v1::StepsPlanned>;

    RecordedPlan() = default;
    RecordedPlan(v1::SagaBegun begun, std::vector<Page> pages);

    /// The same with one more page.
    [[nodiscard]] RecordedPlan with(Page page) const;

    [[nodiscard]] const v1::SagaBegun& begun() const { return begun_; }
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(where_.size()); }
    /// True when every page is there.
    [[nodiscard]] bool complete() const { return size() > 0 && size() == begun_.steps(); }
    [[nodiscard]] const v1::Step& step(std::uint32_t index) const;
    [[nodiscard]] std::uint32_t groups() const {
        return static_cast<std::uint32_t>(group_at_.size());
    }

    /// The members of a group, the steps that wait for it, and the groups that a step is a member
    /// of.
    [[nodiscard]] std::span<const std::uint32_t> members(std::uint32_t group) const;
    [[nodiscard]] std::span<const std::uint32_t> dependents(std::uint32_t group) const;
    [[nodiscard]] std::span<const std::uint32_t> groups_with(std::uint32_t step) const;

    /// A step that can never be sent, because steps wait for each other in a circle; if there is
    /// one.
    [[nodiscard]] std::optional<std::uint32_t> never_free() const;

private:
    struct Where {
        std::uint32_t page, index;
    };
    void index();

    v1::SagaBegun begun_;
    std::vector<Page> pages_;
    std::vector<Where> where_;     // of each step
    std::vector<Where> group_at_;  // of each group
    std::vector<std::vector<std::uint32_t>> dependents_;
    std::vector<std::vector<std::uint32_t>> groups_with_;
};

}  // namespace recount::saga
