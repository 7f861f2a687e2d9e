#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// Appends that share a transaction, in order. They outlive every plan made from them.
using AppendGroup = std::span<const Append* const>;

std::vector<const Append*> pointers_to(std::span<const Append> appends);

/// What a store locks and reads before a group can be decided. Every list is sorted and without
/// doubles; the views point into the group.
struct Touched {
    std::vector<Partition> partitions;  // of the streams written and checked
    std::vector<std::string_view> command_ids;
    std::vector<std::string_view> streams;  // written and checked
    std::vector<std::string_view> types;    // of the events

    /// Where something known to be in its list stands there.
    [[nodiscard]] std::size_t index_of(Partition partition) const;
    [[nodiscard]] std::size_t index_of_command(std::string_view command_id) const;
    [[nodiscard]] std::size_t index_of_stream(std::string_view stream) const;
    [[nodiscard]] std::size_t index_of_type(std::string_view type) const;
};

Touched touched_by(AppendGroup group, std::int32_t partitions);

}  // namespace recount
