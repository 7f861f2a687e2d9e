#pragma once

#include <recount/core/error.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace shop {

/// A file that cannot be taken: says file, line and reason. Nothing was appended.
class BadFile : public recount::Error {
public:
    BadFile(const std::filesystem::path& file, std::int64_t line, const std::string& reason)
        : Error(file.string() + ":" + std::to_string(line) + ": " + reason) {}
};

/// Records of a CSV file (RFC 4180), packed by gzip or plain. Throws BadFile. One thread at a
/// time.
class CsvReader {
public:
    static constexpr std::size_t max_field_bytes = 4096;

    explicit CsvReader(std::filesystem::path file);
    ~CsvReader();
    CsvReader(const CsvReader&) = delete;
    CsvReader& operator=(const CsvReader&) = delete;

    /// False at the end. Strings in `fields` keep their buffers. LF or CR LF ends a record; the
    /// last one may go without.
    bool next(std::vector<std::string>& fields);
    /// Where the record that was read last begins, from 1.
    [[nodiscard]] std::int64_t line() const { return record_line_; }
    [[noreturn]] void fail(const std::string& reason) const;

private:
    static constexpr int end_of_file = -1;

    int peek();
    int take();
    void fill();
    void read_quoted(std::string& field);
    void read_plain(std::string& field);

    std::filesystem::path file_;
    void* gzip_ = nullptr;
    std::vector<char> buffer_;
    std::size_t position_ = 0;
    std::size_t size_ = 0;
    bool ended_ = false;
    std::int64_t line_ = 1;
    std::int64_t record_line_ = 1;
};

}  // namespace shop
