#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <recount/core/environment.hpp>
#include <recount/core/values.hpp>

#include "kafka/settings.hpp"

namespace recount::kafka {

struct Header {
    std::string_view name;
    std::string_view value;
};

/// What is to be written; the producer copies it.
struct Message {
    std::int32_t partition = 0;
    std::string_view key;
    std::optional<std::string_view> value;  // nothing: a null value
    std::span<const Header> headers;
    Timestamp time;
};

/// What became of a message. `possibly_persisted`: only reading the topic can tell.
enum class Fate : std::uint8_t { delivered, not_persisted, possibly_persisted };

struct Delivery {
    std::uint64_t ticket = 0;  // as given to produce()
    std::int32_t partition = 0;
    std::int64_t offset = -1;
    Fate fate = Fate::delivered;
    bool too_large = false;  // the broker will never take it
    const char* error = "";
};

/// So much of the producer's queue is the events' to share; the rest is for beats.
constexpr std::size_t queue_records = 90'000;
constexpr std::size_t queue_bytes = std::size_t{112} << 20;

struct ProducerOptions {
    Duration linger = std::chrono::milliseconds{1};
    std::int64_t record_bytes = std::int64_t{1} << 20;
};

/// An idempotent producer, acks=all, never giving up by time: messages of a partition arrive in
/// order and without holes, or not at all, while this object lives. One thread at a time;
/// deliveries are told from within poll() and flush(). After fatal_error() only a new object can go
/// on.
class Producer {
public:
    Producer(const Settings& settings, const ProducerOptions& options,
             std::function<void(const Delivery&)> on_delivery);
    ~Producer();  // what was not delivered is dropped
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// False when the local queue is full: poll() and try again. Throws Unavailable after a fatal
    /// error and InvalidArgument when the message can never be sent.
    bool produce(const std::string& topic, const Message& message, std::uint64_t ticket);
    void poll(Duration at_most);
    /// False when something was still on its way at the end of the time.
    bool flush(Duration at_most);
    [[nodiscard]] std::optional<std::string> fatal_error() const;

    /// Makes librdkafka believe in a fatal error; for tests.
    void break_for_test();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace recount::kafka
