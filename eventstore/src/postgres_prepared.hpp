#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postgres_wire.hpp"

namespace recount::postgres {

/// A statement that a connection has prepared, for arguments of these types.
struct Prepared {
    std::string sql;
    std::vector<std::uint32_t> types;
    std::string name;
    bool binary_rows = true;

    [[nodiscard]] bool is_of(std::string_view text, std::span<const Parameter> arguments) const;
};

/// Those of one connection. What it gives out lives until it is cleared. One thread at a time.
class PreparedStatements {
public:
    /// None when it was not prepared yet.
    const Prepared* find(std::string_view sql, std::span<const Parameter> arguments);
    const Prepared& add(Prepared statement);
    void clear();
    [[nodiscard]] std::size_t size() const { return statements_.size(); }

private:
    using Key = std::string;  // text and types
    static Key key_of(std::string_view sql, std::span<const std::uint32_t> types);
    const Prepared& use(const Prepared& statement);

    std::unordered_map<Key, Prepared> statements_;
    /// Those used last, by turns: found without making a key of a thousand bytes and hashing it.
    std::array<const Prepared*, 8> recent_{};
    std::size_t next_recent_ = 0;
};

}  // namespace recount::postgres
