#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "postgres_pool.hpp"
#include "postgres_rows.hpp"

namespace recount::postgres {

/// The rows of the schema table for the types of this program, made when a type first occurs.
/// Thread-safe.
class Schemas {
public:
    /// `living` is the incarnation that is written to.
    Schemas(Pool& pool, const Uuid& living) : pool_(pool), living_(living) {}

    /// Makes certain that all of them are known; in transactions of their own, before any append.
    void require(std::span<const std::string_view> types);
    /// Whether all of them were required before.
    bool know(std::span<const std::string_view> types) const;
    /// Of a type that was required before.
    SchemaRow of(std::string_view type) const;

private:
    SchemaRow find_or_make(std::string_view type);

    Pool& pool_;
    const Uuid living_;
    mutable std::mutex mutex_;
    std::map<std::string, SchemaRow, std::less<>> rows_;
};

}  // namespace recount::postgres
