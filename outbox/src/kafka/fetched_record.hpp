#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <recount/core/values.hpp>

namespace recount::kafka {

/// One record as it was fetched. Views live as long as it does.
class Record {
public:
    explicit Record(void* message) : message_(message) {}

    [[nodiscard]] std::int32_t partition() const;
    [[nodiscard]] std::int64_t offset() const;
    [[nodiscard]] std::string_view key() const;
    [[nodiscard]] std::optional<std::string_view> value() const;  // nothing: null
    /// The producer's, in milliseconds; nothing when the broker stamps its own.
    [[nodiscard]] std::optional<Timestamp> time() const;
    void each_header(
        const std::function<void(std::string_view name, std::string_view value)>& take) const;

private:
    friend class Headers;
    struct Delete {
        void operator()(void* message) const;
    };
    std::unique_ptr<void, Delete> message_;
};

/// Goes through the headers of a record that outlives it, in order: for those who read so many that
/// Record::each_header costs too much.
class Headers {
public:
    explicit Headers(const Record& record);

    /// To the first, then to the next one; false behind the last.
    bool next();
    [[nodiscard]] const char* name() const { return name_; }  // ends with a NUL
    [[nodiscard]] std::string_view value() const { return value_; }

private:
    void* list_ = nullptr;
    std::size_t index_ = 0;
    const char* name_ = nullptr;
    std::string_view value_;
};

}  // namespace recount::kafka
