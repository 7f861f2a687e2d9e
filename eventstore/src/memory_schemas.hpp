#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

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

private:
    std::map<std::string, TypeSchema, std::less<>> types_;
};

}  // namespace recount
