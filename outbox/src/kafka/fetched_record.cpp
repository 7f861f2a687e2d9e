#include "kafka/fetched_record.hpp"

#include <string>

#include "kafka/kafka_handle.hpp"

namespace recount::kafka {
namespace {

const rd_kafka_message_t* message_of(const void* pointer) {
    return static_cast<const rd_kafka_message_t*>(pointer);
}

std::string_view text(const void* data, std::size_t size) {
    return data == nullptr ? std::string_view{}
                           : std::string_view{static_cast<const char*>(data), size};
}

}  // namespace

void Record::Delete::operator()(void* message) const {
    rd_kafka_message_destroy(static_cast<rd_kafka_message_t*>(message));
}

std::int32_t Record::partition() const { return message_of(message_.get())->partition; }
std::int64_t Record::offset() const { return message_of(message_.get())->offset; }
std::string_view Record::key() const {
    const auto* message = message_of(message_.get());
    return text(message->key, message->key_len);
}
std::optional<std::string_view> Record::value() const {
    const auto* message = message_of(message_.get());
    if (message->payload == nullptr) return std::nullopt;
    return text(message->payload, message->len);
}

std::optional<Timestamp> Record::time() const {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const auto count = rd_kafka_message_timestamp(message_of(message_.get()), &type);
    // Anybody may write any number; one that no clock can show is none.
    constexpr auto most = std::chrono::floor<std::chrono::milliseconds>(Duration::max()).count();
    if (type != RD_KAFKA_TIMESTAMP_CREATE_TIME || count > most) return std::nullopt;
    return Timestamp{std::chrono::milliseconds{count}};
}

void Record::each_header(
    const std::function<void(std::string_view, std::string_view)>& take) const {
    for (Headers headers{*this}; headers.next();) take(headers.name(), headers.value());
}

Headers::Headers(const Record& record) {
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message_of(record.message_.get()), &headers) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        list_ = headers;
    }
}

bool Headers::next() {
    if (list_ == nullptr) return false;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_all(static_cast<rd_kafka_headers_t*>(list_), index_, &name_, &value,
                                &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    value_ = text(value, size);
    ++index_;
    return true;
}

}  // namespace recount::kafka
