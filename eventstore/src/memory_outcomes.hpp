#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/append.hpp>

#include "stored_rows.hpp"

namespace recount {

/// What became of commands, as bytes, in a store in memory. One thread at a time.
class MemoryOutcomes {
public:
    void put(std::string_view command_id, std::string bytes) {
        rows_.emplace(command_id, std::move(bytes));
    }

    [[nodiscard]] std::optional<CommandOutcome> find(std::string_view command_id) const {
        const auto found = rows_.find(command_id);
        if (found == rows_.end()) return std::nullopt;
        return decode_outcome(command_id, found->second);
    }

    [[nodiscard]] std::vector<OutcomeRow> page(std::string_view after, std::size_t limit) const {
        std::vector<OutcomeRow> page;
        for (auto each = rows_.upper_bound(after); each != rows_.end(); ++each) {
            if (page.size() == limit) break;
            const auto& [id, bytes] = *each;
            const CommandOutcome outcome = decode_outcome(id, bytes);
            const auto kind = static_cast<std::int64_t>(outcome.kind);
            page.push_back({id, kind, outcome.recorded_at, bytes});
        }
        return page;
    }

    /// Of those recorded before the horizon: another thread may have been faster, and the id be
    /// used again since.
    void forget(const std::vector<std::string_view>& command_ids, Timestamp horizon) {
        for (const std::string_view id : command_ids) {
            const auto found = rows_.find(id);
            if (found == rows_.end()) continue;
            if (decode_outcome(id, found->second).recorded_at < horizon) rows_.erase(found);
        }
    }

private:
    std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace recount
