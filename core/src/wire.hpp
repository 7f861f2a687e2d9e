#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace recount::wire {

/// Writes the protobuf wire format (protobuf.dev/programming-guides/encoding) as a generated proto3
/// class does: the caller brings the fields in order of number, values that are the default are
/// left out. By hand, because it runs once for every event; a test compares it with the generated
/// class.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    void number(std::uint32_t field, std::uint64_t value) {
        if (value == 0) return;
        varint(field << 3);
        varint(value);
    }
    void bytes(std::uint32_t field, std::string_view value) {
        if (!value.empty()) element(field, value);
    }
    /// An element of a repeated field: written even when it is empty.
    void element(std::uint32_t field, std::string_view value) {
        begin(field, value.size());
        out_.append(value);
    }
    /// The head of a nested message of so many bytes, which the caller writes next.
    void begin(std::uint32_t field, std::size_t size) {
        varint(field << 3 | 2);
        varint(size);
    }
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            out_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        out_.push_back(static_cast<char>(value));
    }

private:
    std::string& out_;
};

constexpr std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
}

/// Size of a string or bytes field whose number is below 16; 0 when it is left out.
constexpr std::size_t bytes_size(std::string_view value) {
    return value.empty() ? 0 : 1 + varint_size(value.size()) + value.size();
}

/// Reads it. Every method returns false, and `failed()` is true from then on, when the bytes end
/// early or are not the wire format.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    /// The next field; false at the end and on failure.
    bool next() {
        if (rest_.empty() || failed_) return false;
        std::uint64_t tag = 0;
        if (!varint(tag)) return false;
        field_ = static_cast<std::uint32_t>(tag >> 3);
        type_ = static_cast<std::uint32_t>(tag & 7);
        return field_ != 0 && tag <= UINT32_MAX ? true : fail();
    }
    [[nodiscard]] std::uint32_t field() const { return field_; }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool packed() const { return type_ == 2; }

    bool number(std::uint64_t& value) { return type_ == 0 ? varint(value) : fail(); }
    bool bytes(std::string_view& value) {
        std::uint64_t size = 0;
        if (type_ != 2) return fail();
        if (!varint(size)) return false;
        if (size > rest_.size()) return fail();
        value = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }
    bool varint(std::uint64_t& value) {
        value = 0;
        for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<std::uint8_t>(rest_.front());
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) return true;
            if (shift == 63) break;
        }
        return fail();
    }
    /// Passes over a field that is not known here.
    bool skip() {
        std::uint64_t number_value = 0;
        std::string_view bytes_value;
        switch (type_) {
            case 0:
                return varint(number_value);
            case 1:
                return drop(8);
            case 2:
                return bytes(bytes_value);
            case 5:
                return drop(4);
            default:
                return fail();
        }
    }

private:
    bool drop(std::size_t size) {
        if (rest_.size() < size) return fail();
        rest_.remove_prefix(size);
        return true;
    }
    bool fail() {
        failed_ = true;
        return false;
    }

    std::string_view rest_;
    std::uint32_t field_ = 0, type_ = 0;
    bool failed_ = false;
};

}  // namespace recount::wire
