#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stored_rows.hpp"
#include "type_schema.hpp"

namespace recount {

/// The types of a store in memory. One process writes and one program knows the types, so there is
/// never a second revision. One thread at a time.
class MemorySchemas {
public:
    std::uint32_t revision_of(std::string_view type) {
        if (!types_.contains(type)) types_.emplace(type, schema_in_program(type));
        return 1;
    }

    [[nodiscard]] std::optional<std::string> find(std::string_view type,
                                                  std::uint32_t revision) const {
        const auto found = types_.find(type);
        if (found == types_.end() || revision != 1) return std::nullopt;
        return found->second.descriptors;
    }

    [[nodiscard]] std::vector<RevisionRow> rows() const {
        std::vector<RevisionRow> rows;
        for (const auto& [type, schema] : types_) {
            rows.push_back({type, 1, std::string{schema.fingerprint.view()}, schema.descriptors});
        }
        return rows;
    }

private:
    std::map<std::string, TypeSchema, std::less<>> types_;
};

}  // namespace recount
