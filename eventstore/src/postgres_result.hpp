#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <recount/eventstore/sql.hpp>

// libpq's PGresult.
struct pg_result;

namespace recount::postgres {

/// What a statement gave, read in place from what libpq received. Texts and bytes live as long as
/// the result.
class Result {
public:
    Result() = default;
    explicit Result(pg_result* received);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] bool null(std::size_t row, std::size_t column) const;
    /// These throw Error when the value is not there or has another type.
    [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column) const;
    [[nodiscard]] std::string_view text(std::size_t row, std::size_t column) const;
    [[nodiscard]] std::string_view bytes(std::size_t row, std::size_t column) const;
    [[nodiscard]] std::optional<std::string_view> bytes_or_null(std::size_t row,
                                                                std::size_t column) const;

    /// Of the columns, by their numbers in pg_type.
    [[nodiscard]] std::vector<std::uint32_t> types() const;
    [[nodiscard]] SqlResult copy() const;

    std::int64_t affected = 0;  // rows

private:
    struct Clear {
        void operator()(pg_result* result) const;
    };
    [[nodiscard]] std::string_view at(std::size_t row, std::size_t column) const;
    [[noreturn]] void wrong(std::size_t row, std::size_t column, std::string_view wanted) const;
    [[nodiscard]] SqlValue value(std::size_t row, std::size_t column) const;

    std::unique_ptr<pg_result, Clear> result_;
    std::size_t size_ = 0;
    std::size_t columns_ = 0;
};

}  // namespace recount::postgres
