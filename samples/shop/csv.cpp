#include "csv.hpp"

#include <zlib.h>

#include <utility>

namespace shop {

CsvReader::CsvReader(std::filesystem::path file) : file_(std::move(file)), buffer_(1 << 16) {
    std::error_code error;
    if (std::filesystem::is_directory(file_, error)) fail("is a folder; name the file in it");
    if (std::filesystem::is_fifo(file_, error) || std::filesystem::is_socket(file_, error)) {
        fail("is a pipe, and is read more than once; write it into a file first");
    }
    gzip_ = gzopen(file_.c_str(), "rb");
    if (gzip_ == nullptr) fail("cannot be opened; name a file that exists and may be read");
    gzbuffer(static_cast<gzFile>(gzip_), 1 << 17);
}

CsvReader::~CsvReader() {
    if (gzip_ != nullptr) gzclose_r(static_cast<gzFile>(gzip_));
}

void CsvReader::fail(const std::string& reason) const {
    throw BadFile(file_, record_line_, reason);
}

void CsvReader::fill() {
    const auto gzip = static_cast<gzFile>(gzip_);
    const int read = gzread(gzip, buffer_.data(), static_cast<unsigned>(buffer_.size()));
    int code = Z_OK;
    gzerror(gzip, &code);
    if (read < 0 || code != Z_OK) {
        record_line_ = line_;
        fail(code == Z_BUF_ERROR ? "the gzip stream ends here, before its end; get the file again"
                                 : "the gzip stream is damaged; get the file again");
    }
    position_ = 0;
    size_ = static_cast<std::size_t>(read);
    ended_ = read == 0;
}

int CsvReader::peek() {
    if (position_ == size_ && !ended_) fill();
    return ended_ ? end_of_file : static_cast<unsigned char>(buffer_[position_]);
}

int CsvReader::take() {
    const int character = peek();
    if (character == end_of_file) return character;
    ++position_;
    if (character == '\n') ++line_;
    return character;
}

bool CsvReader::next(std::vector<std::string>& fields) {
    record_line_ = line_;
    if (peek() == end_of_file) return false;
    for (std::size_t count = 0;;) {
        if (fields.size() <= count) fields.emplace_back();
        std::string& field = fields[count++];
        field.clear();
        if (peek() == '"') {
            take();
            read_quoted(field);
        } else {
            read_plain(field);
        }
        const int after = take();
        if (after == ',') continue;
        if (after == '\r' && take() != '\n') fail("a carriage return without a line feed");
        fields.resize(count);
        return true;
    }
}

void CsvReader::read_quoted(std::string& field) {
    for (;;) {
        const int character = take();
        if (character == end_of_file) fail("a quoted field has no end");
        if (character == '"') {
            const int after = peek();
            if (after != '"') {
                if (after == ',' || after == '\n' || after == '\r' || after == end_of_file) return;
                fail("text behind a closing quote");
            }
            take();
        }
        if (field.size() == max_field_bytes) fail("a field is longer than 4096 bytes");
        field.push_back(static_cast<char>(character));
    }
}

void CsvReader::read_plain(std::string& field) {
    for (;;) {
        const int character = peek();
        if (character == end_of_file || character == ',' || character == '\n' ||
            character == '\r') {
            return;
        }
        if (character == '"') fail("a quote within a field that does not begin with one");
        if (field.size() == max_field_bytes) fail("a field is longer than 4096 bytes");
        field.push_back(static_cast<char>(character));
        take();
    }
}

}  // namespace shop
