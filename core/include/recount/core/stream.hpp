#pragma once

#include <compare>
#include <string>
#include <string_view>

#include <recount/core/utf8.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// The name of a stream: "category-id". The category is what precedes the first '-' and holds none;
/// the id may hold any. At most 255 bytes of valid UTF-8 without control characters.
/// Names are data: they hold no personal data and are never pasted into SQL.
class StreamName {
public:
    static constexpr std::size_t max_bytes = 255;

    StreamName() = default;  // empty; only to be assigned to
    /// Throws InvalidArgument when either part breaks the rules above.
    StreamName(std::string_view category, std::string_view id);
    /// "cart-17" → {cart, 17}; throws InvalidArgument.
    static StreamName parse(std::string_view full);
    /// Trusts what a store has already accepted.
    static StreamName trusted(std::string full);

    [[nodiscard]] const std::string& full() const { return full_; }
    [[nodiscard]] std::string_view category() const;
    [[nodiscard]] std::string_view id() const;

    friend auto operator<=>(const StreamName&, const StreamName&) = default;

private:
    std::string full_;
};

/// Whether a stream's name can begin with this: what StreamName's constructor looks at, known to
/// the compiler.
constexpr bool valid_category(std::string_view category) {
    return !category.empty() && category.size() + 2 <= StreamName::max_bytes &&
           category.find('-') == std::string_view::npos && is_utf8(category, false);
}

/// Whether streams of this category are recount's own: those of sagas.
constexpr bool reserved_category(std::string_view category) {
    return category == "saga" || category == "sagacursor" || category == "sagaalarm";
}

/// The partition of a stream among `count`: murmur2 of its full name, sign bit cleared, modulo
/// count, as Apache Kafka's Java client picks a partition for a record key.
Partition partition_of(const StreamName& stream, std::int32_t count);
Partition partition_of(std::string_view stream, std::int32_t count);

}  // namespace recount

template <>
struct std::hash<recount::StreamName> {
    std::size_t operator()(const recount::StreamName& stream) const noexcept {
        return std::hash<std::string>{}(stream.full());
    }
};
