#pragma once

#include <cstdint>
#include <filesystem>

namespace recount::bench {

struct Copied {
    std::int64_t rows = 0;
    double seconds = 0;  // of writing: reading is not counted
};

/// Writes every row of a SQLite file into a new one of the same schema, as a plain program on the C
/// API would: prepared inserts, WAL, so many rows of the largest table a commit and the other
/// tables' share with them. `synchronous` is FULL or NORMAL.
Copied copy_rows(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::int64_t rows_a_commit, bool full);

}  // namespace recount::bench
