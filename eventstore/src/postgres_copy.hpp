#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace recount::postgres {

/// Rows as "copy … (format binary)" takes them (postgresql.org/docs/current/sql-copy.html), put at
/// the end of some bytes.
class CopyRows {
public:
    explicit CopyRows(std::string& out) : out_(out) {}

    void begin() {
        out_.append("PGCOPY\n\xff\r\n\0", 11);
        put(0, 4);  // flags
        put(0, 4);  // extension of the header
    }
    void row(std::int16_t columns) { put(static_cast<std::uint64_t>(columns), 2); }
    void integer(std::int32_t value) {
        put(4, 4);
        put(static_cast<std::uint32_t>(value), 4);
    }
    void bigint(std::int64_t value) {
        put(8, 4);
        put(static_cast<std::uint64_t>(value), 8);
    }
    void bytes(std::string_view value) {  // or text
        put(value.size(), 4);
        out_.append(value);
    }
    void end() { row(-1); }

private:
    void put(std::uint64_t value, int size) {
        for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
            out_.push_back(static_cast<char>(value >> shift & 0xff));
        }
    }

    std::string& out_;
};

}  // namespace recount::postgres
