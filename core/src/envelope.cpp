#include <recount/core/envelope.hpp>

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/utf8.hpp>

#include <cstdint>

#include "hasher.hpp"
#include "wire.hpp"
#include "wire_values.hpp"

namespace recount {
namespace {

[[noreturn]] void unreadable(const std::string& why) {
    throw UnreadableEvent("the bytes of an envelope cannot be read: " + why +
                          "; compare the record with the store, or verify the chain");
}

/// What is common to reading each message: a reader whose failures become exceptions.
class Fields {
public:
    explicit Fields(std::string_view bytes) : reader_(bytes) {}

    bool next() {
        const bool there = reader_.next();
        check();
        return there;
    }
    [[nodiscard]] std::uint32_t field() const { return reader_.field(); }
    std::uint64_t number() {
        std::uint64_t value = 0;
        reader_.number(value);
        check();
        return value;
    }
    std::string_view bytes() {
        std::string_view value;
        reader_.bytes(value);
        check();
        return value;
    }
    std::string_view text() {
        const std::string_view value = bytes();
        if (!valid_utf8(value)) {
            unreadable("field " + std::to_string(field()) + " is not UTF-8");
        }
        return value;
    }
    template <class Value>
    Value fixed() {
        const std::string_view value = bytes();
        if (value.size() != sizeof(Value)) {
            unreadable("field " + std::to_string(field()) + " has " + std::to_string(value.size()) +
                       " bytes instead of " + std::to_string(sizeof(Value)));
        }
        return Value::from(value);
    }
    Timestamp time() {
        return Timestamp{std::chrono::microseconds{static_cast<std::int64_t>(number())}};
    }
    void skip() {
        reader_.skip();
        check();
    }
    /// The numbers of a packed repeated field; one alone may come unpacked.
    template <class Take>
    void numbers(Take&& take) {
        if (!reader_.packed()) return take(static_cast<std::int64_t>(number()));
        wire::Reader packed{bytes()};
        while (!packed.at_end()) {
            std::uint64_t value = 0;
            if (!packed.varint(value)) unreadable("its positions are cut short");
            take(static_cast<std::int64_t>(value));
        }
    }

private:
    void check() const {
        if (reader_.failed()) unreadable("not the protobuf wire format");
    }
    wire::Reader reader_;
};

StorePositions read_positions(std::string_view bytes) {
    StorePositions seen;
    std::int32_t partition = 0;
    for (Fields in{bytes}; in.next();) {
        switch (in.field()) {
            case 1:
                seen.store = in.fixed<Uuid>();
                break;
            case 2:
                seen.incarnation = in.fixed<Uuid>();
                break;
            case 3:
                in.numbers([&](std::int64_t n) {
                    seen.positions.set({Partition{partition++}, n});
                });
                break;
            default:
                in.skip();
        }
    }
    return seen;
}

void read_header(std::string_view bytes, std::map<std::string, std::string>& headers) {
    std::string name, value;
    for (Fields in{bytes}; in.next();) {
        switch (in.field()) {
            case 1:
                name = in.text();
                break;
            case 2:
                value = in.text();
                break;
            default:
                in.skip();
        }
    }
    headers[std::move(name)] = std::move(value);
}

/// A field that is not there has protobuf's default, not that of a new Envelope. The stream stays:
/// see read_stream_name().
void clear(Envelope& envelope) {
    envelope.version = {};
    envelope.event_id = {};
    envelope.type.clear();
    envelope.schema_revision = 0;
    envelope.encoding.clear();
    envelope.payload_digest = {};
    envelope.append_id.clear();
    envelope.append_index = 0;
    envelope.append_count = 0;
    envelope.correlation_id.clear();
    envelope.causation_id.clear();
    envelope.traceparent.clear();
    envelope.headers.clear();
    envelope.occurred_at = {};
    envelope.recorded_at = {};
    envelope.after.clear();
}

/// One event of a stream is often read behind another of it.
void read_stream_name(std::string_view bytes, StreamName& stream) {
    if (stream.full() != bytes) stream = StreamName::parse(bytes);
}

bool read_field(Fields& in, Envelope& envelope) {
    switch (in.field()) {
        case 1:
            read_stream_name(in.bytes(), envelope.stream);
            break;
        case 2:
            envelope.version.value = static_cast<std::int64_t>(in.number());
            break;
        case 3:
            envelope.event_id = in.fixed<Uuid>();
            break;
        case 4:
            envelope.type = in.text();
            break;
        case 5:
            envelope.schema_revision = static_cast<std::uint32_t>(in.number());
            break;
        case 6:
            envelope.encoding = in.text();
            break;
        case 7:
            envelope.payload_digest = in.fixed<Hash>();
            break;
        case 8:
            envelope.append_id = in.text();
            break;
        case 9:
            envelope.append_index = static_cast<std::uint32_t>(in.number());
            break;
        case 10:
            envelope.append_count = static_cast<std::uint32_t>(in.number());
            break;
        case 11:
            envelope.correlation_id = in.text();
            break;
        case 12:
            envelope.causation_id = in.text();
            break;
        case 13:
            envelope.traceparent = in.text();
            break;
        case 14:
            read_header(in.bytes(), envelope.headers);
            break;
        case 15:
            envelope.occurred_at = in.time();
            break;
        case 16:
            envelope.recorded_at = in.time();
            break;
        case 17:
            envelope.after.push_back(read_positions(in.bytes()));
            break;
        default:
            return false;
    }
    return true;
}

}  // namespace

std::string encode(const Envelope& envelope) {
    std::string bytes;
    bytes.reserve(512);
    wire::Writer out{bytes};
    out.bytes(1, envelope.stream.full());
    out.number(2, wire::unsigned_of(envelope.version.value));
    out.bytes(3, envelope.event_id.view());
    out.bytes(4, envelope.type);
    out.number(5, envelope.schema_revision);
    out.bytes(6, envelope.encoding);
    out.bytes(7, envelope.payload_digest.view());
    out.bytes(8, envelope.append_id);
    out.number(9, envelope.append_index);
    out.number(10, envelope.append_count);
    out.bytes(11, envelope.correlation_id);
    out.bytes(12, envelope.causation_id);
    out.bytes(13, envelope.traceparent);
    for (const auto& [name, value] : envelope.headers) {
        out.begin(14, wire::bytes_size(name) + wire::bytes_size(value));
        out.bytes(1, name);
        out.bytes(2, value);
    }
    out.number(15, wire::micros(envelope.occurred_at));
    out.number(16, wire::micros(envelope.recorded_at));
    for (const StorePositions& seen : envelope.after) write(out, 17, seen);
    return bytes;
}

Envelope decode_envelope(std::string_view bytes) {
    Envelope envelope;
    decode_envelope(bytes, envelope);
    return envelope;
}

void decode_envelope(std::string_view bytes, Envelope& into) {
    clear(into);
    bool named = false;
    try {
        for (Fields in{bytes}; in.next();) {
            named = named || in.field() == 1;
            if (!read_field(in, into)) in.skip();
        }
    } catch (const InvalidArgument& error) {
        unreadable(error.what());
    }
    if (!named || into.stream.full().empty()) unreadable("it names no stream");
}

Hash payload_digest(std::string_view salt, std::string_view payload) {
    return thread_hasher().add(salt).add(payload).finish();
}

Hash origin_hash(const Uuid& store, const Uuid& incarnation, const Position& fork,
                 const Hash& at_fork) {
    return thread_hasher()
        .add("recount/origin/1")
        .add(store.view())
        .add(incarnation.view())
        .add_u32(static_cast<std::uint32_t>(fork.partition.value))
        .add_u64(wire::unsigned_of(fork.n))
        .add(at_fork.view())
        .finish();
}

Hash chain_hash(const Position& position, const Hash& before, std::string_view envelope) {
    return thread_hasher()
        .add("recount/event/1")
        .add_u32(static_cast<std::uint32_t>(position.partition.value))
        .add_u64(wire::unsigned_of(position.n))
        .add(before.view())
        .add(envelope)
        .finish();
}

}  // namespace recount
