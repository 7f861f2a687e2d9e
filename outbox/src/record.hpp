#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/event.hpp>

#include "kafka/producer.hpp"
#include "kafka/reader.hpp"

namespace recount {

/// Why a record carries no payload although its event may have one.
enum class Withheld : std::uint8_t { no, category, erased };

/// What a record of the log topic says, as sent: outbox/README.md has the table of headers.
struct LogRecord {
    RecordedEvent event;
    Uuid incarnation;
    Withheld withheld = Withheld::no;
};

/// CloudEvents' `source` of a store's events when the operator names none.
std::string source_of(const Uuid& store, const std::string& chosen);

/// Makes records from events. One thread at a time: it keeps its buffers.
class RecordEncoder {
public:
    /// `source` is CloudEvents' `source`; payloads of the `withhold` categories are left out.
    RecordEncoder(std::string source, Uuid incarnation, std::vector<std::string> withhold);

    /// Views into the event and this object, valid until the next call.
    kafka::Message encode(const RecordedEvent& event);

private:
    [[nodiscard]] Withheld withheld(const RecordedEvent& event) const;
    void attributes(const Envelope& envelope);
    /// A header whose value is made here, kept until the next call.
    void made(std::string_view name, std::string value);

    std::string source_;
    std::string incarnation_;
    std::vector<std::string> withhold_;
    std::vector<kafka::Header> headers_;
    std::vector<std::string> values_;
};

/// Reads a record back. Nothing when it is not one of ours (no envelope, position or hash, or
/// headers that cannot be read); `why` then says what was missing.
std::optional<LogRecord> decode_record(const kafka::Record& record, std::string& why);

/// Reads back the events of many records. One thread at a time: it remembers what it has checked.
class RecordDecoder {
public:
    /// The event alone, into one that is as new; when the record is not one of ours, `event` is
    /// good for nothing.
    bool decode(const kafka::Record& record, RecordedEvent& event, std::string& why);

private:
    std::string incarnation_;  // as a record had it, and could be read
};

/// Position and hash alone, for those who only look where they are.
struct RecordPlace {
    Position position;
    Hash hash;
};
std::optional<RecordPlace> place_of(const kafka::Record& record);

}  // namespace recount
