#include <recount/core/envelope.hpp>
#include <recount/core/error.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "recount/envelope.pb.h"

namespace {

using namespace recount;

/// The same message by the class that protoc made.
v1::Envelope generated(const Envelope& envelope) {
    v1::Envelope message;
    message.set_stream(envelope.stream.full());
    message.set_version(envelope.version.value);
    message.set_event_id(std::string{envelope.event_id.view()});
    message.set_type(envelope.type);
    message.set_schema_revision(envelope.schema_revision);
    message.set_encoding(envelope.encoding);
    message.set_payload_digest(std::string{envelope.payload_digest.view()});
    message.set_append_id(envelope.append_id);
    message.set_append_index(envelope.append_index);
    message.set_append_count(envelope.append_count);
    message.set_correlation_id(envelope.correlation_id);
    message.set_causation_id(envelope.causation_id);
    message.set_traceparent(envelope.traceparent);
    for (const auto& [name, value] : envelope.headers) {
        auto& header = *message.add_headers();
        header.set_name(name);
        header.set_value(value);
    }
    message.set_occurred_at(envelope.occurred_at.time_since_epoch().count());
    message.set_recorded_at(envelope.recorded_at.time_since_epoch().count());
    for (const StorePositions& seen : envelope.after) {
        auto& after = *message.add_after();
        after.set_store(std::string{seen.store.view()});
        after.set_incarnation(std::string{seen.incarnation.view()});
        for (const std::int64_t n : seen.positions.values()) after.add_positions(n);
    }
    return message;
}

rc::Gen<std::string> any_text() {
    return rc::gen::oneOf(rc::gen::just(std::string{}), rc::gen::just(std::string{"größe-€-😀"}),
                          rc::gen::container<std::string>(rc::gen::inRange('\x20', '\x7f')),
                          rc::gen::just(std::string(200, 'x')));
}

template <class Value>
Value any_bytes() {
    Value value;
    for (auto& byte : value.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
    return value;
}

Timestamp any_time() {
    return Timestamp{std::chrono::microseconds{*rc::gen::arbitrary<int64_t>()}};
}

Envelope any_envelope() {
    Envelope envelope;
    envelope.stream = StreamName{"cart", "x" + *any_text()};
    envelope.version.value = *rc::gen::arbitrary<std::int64_t>();
    envelope.event_id = any_bytes<Uuid>();
    envelope.type = *any_text();
    envelope.schema_revision = *rc::gen::arbitrary<std::uint32_t>();
    envelope.encoding = *any_text();
    envelope.payload_digest = any_bytes<Hash>();
    envelope.append_id = *any_text();
    envelope.append_index = *rc::gen::arbitrary<std::uint32_t>();
    envelope.append_count = *rc::gen::arbitrary<std::uint32_t>();
    envelope.correlation_id = *any_text();
    envelope.causation_id = *any_text();
    envelope.traceparent = *any_text();
    const int headers = *rc::gen::inRange(0, 5);
    for (int i = 0; i < headers; ++i) envelope.headers[*any_text()] = *any_text();
    envelope.occurred_at = any_time();
    envelope.recorded_at = any_time();
    const int stores = *rc::gen::inRange(0, 3);
    for (int i = 0; i < stores; ++i) {
        StorePositions seen{any_bytes<Uuid>(), any_bytes<Uuid>(), {}};
        const int partitions = *rc::gen::inRange(0, 20);
        for (int p = 0; p < partitions; ++p) {
            seen.positions.set({Partition{p}, *rc::gen::inRange<std::int64_t>(0, INT64_MAX)});
        }
        envelope.after.push_back(seen);
    }
    return envelope;
}

TEST(AnEnvelope, HasTheBytesThatProtobufGivesIt) {
    EXPECT_TRUE(rc::check([] {
        const Envelope envelope = any_envelope();
        RC_ASSERT(encode(envelope) == generated(envelope).SerializeAsString());
    }));
}

TEST(AnEnvelope, ComesBackAsItWent) {
    EXPECT_TRUE(rc::check([] {
        const Envelope envelope = any_envelope();
        const std::string bytes = encode(envelope);
        const Envelope back = decode_envelope(bytes);
        RC_ASSERT(encode(back) == bytes);
        RC_ASSERT(back.stream == envelope.stream);
        RC_ASSERT(back.version == envelope.version);
        RC_ASSERT(back.schema_revision == envelope.schema_revision);
        RC_ASSERT(back.append_count == envelope.append_count);
        RC_ASSERT(back.encoding == envelope.encoding);
        RC_ASSERT(back.headers == envelope.headers);
        RC_ASSERT(back.occurred_at == envelope.occurred_at);
        RC_ASSERT(back.after == envelope.after);
    }));
}

TEST(AnEnvelope, KeepsNothingOfTheOneReadBeforeIt) {
    EXPECT_TRUE(rc::check([] {
        Envelope used;
        decode_envelope(encode(any_envelope()), used);
        const std::string bytes = encode(any_envelope());
        decode_envelope(bytes, used);
        RC_ASSERT(encode(used) == bytes);
        Envelope bare;
        bare.stream = *rc::gen::element(used.stream, StreamName{"cart", "17"});
        decode_envelope(encode(bare), used);
        RC_ASSERT(encode(used) == encode(bare));
        RC_ASSERT_THROWS_AS(decode_envelope("", used), UnreadableEvent);
    }));
}

TEST(AnEnvelope, KeepsItsBytesForEver) {
    Envelope envelope;
    envelope.stream = StreamName{"cart", "17"};
    envelope.version = Version{3};
    envelope.event_id = *parse_uuid("00000000-0000-8000-8000-000000000001");
    envelope.type = "shop.ItemAdded";
    envelope.append_id = "c-1";
    envelope.headers = {{"b", "2"}, {"a", ""}};
    envelope.recorded_at = Timestamp{std::chrono::microseconds{300}};
    const std::string expected = std::string{"\x0a\x07"} + "cart-17" + "\x10\x03" + "\x1a\x10" +
                                 std::string{envelope.event_id.view()} + "\x22\x0e" +
                                 "shop.ItemAdded" + "\x28\x01" + "\x32\x05plain" + "\x3a\x20" +
                                 std::string(32, '\0') + "\x42\x03" + "c-1" + "\x50\x01" +
                                 "\x72\x03\x0a\x01" + "a" + "\x72\x06\x0a\x01" + "b" + "\x12\x01" +
                                 "2" + std::string{"\x80\x01\xac\x02"};
    EXPECT_EQ(encode(envelope), expected);
}

TEST(AnEnvelope, WithFieldsOfALaterVersionIsRead) {
    Envelope envelope;
    envelope.stream = StreamName{"cart", "17"};
    std::string bytes = encode(envelope);
    bytes += std::string{"\xa0\x06\x05", 3};                       // 100: varint
    bytes += std::string{"\xa1\x06", 2} + std::string(8, '\x01');  // 100: 64 bits
    bytes += "\xa2\x06\x02hi";                                     // 100: bytes
    bytes += std::string{"\xa5\x06", 2} + std::string(4, '\x01');  // 100: 32 bits
    EXPECT_EQ(decode_envelope(bytes).stream, envelope.stream);
}

TEST(AnEnvelope, MayHaveItsPositionsUnpacked) {
    v1::StorePositions positions;
    Envelope envelope;
    envelope.stream = StreamName{"cart", "17"};
    const std::string ids = "\x0a\x10" + std::string(16, 's') + "\x12\x10" + std::string(16, 'i');
    const std::string after = ids + std::string{"\x18\x05\x18\x00", 4};
    const std::string bytes =
        encode(envelope) + "\x8a\x01" + static_cast<char>(after.size()) + after;
    const Envelope read = decode_envelope(bytes);
    ASSERT_EQ(read.after.size(), 1U);
    EXPECT_EQ(read.after[0].positions.values(), (std::vector<std::int64_t>{5, 0}));
}

TEST(BrokenEnvelopes, AreRefused) {
    Envelope envelope;
    envelope.stream = StreamName{"cart", "17"};
    envelope.after.push_back({});
    const std::string good = encode(envelope);
    const std::string broken[] = {
        "",
        std::string{"\x00", 1},
        std::string{"\x0a\x00", 2},  // a stream without a name
        "\x0a\x07"
        "cart",  // shorter than it says
        "\x0a\x04"
        "cart",  // no stream name
        "\x0a\x03"
        "a-\n",                                            // control character
        good + "\x1a\x01x",                                // event id of one byte
        good + "\x3a\x01x",                                // digest of one byte
        good + "\x22\x01\xff",                             // type not UTF-8
        good + "\x72\x03\x0a\x01\xff",                     // header name not UTF-8
        good + "\x28",                                     // no value
        good + "\x2a\x01x",                                // another wire type
        good + "\x0b",                                     // a group
        good + "\x10" + std::string(10, '\xff') + "\x01",  // varint of 11 bytes
        good + "\x8a\x01\x03\x1a\x01\x80",                 // positions cut short
    };
    for (const std::string& bytes : broken) {
        EXPECT_THROW(decode_envelope(bytes), UnreadableEvent) << testing::PrintToString(bytes);
    }
}

TEST(BrokenEnvelopes, NeverDoWorseThanThrow) {
    EXPECT_TRUE(rc::check([] {
        std::string bytes = encode(any_envelope());
        const auto edits = *rc::gen::inRange(1, 4);
        for (int i = 0; i < edits; ++i) {
            const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
            bytes[at] = *rc::gen::arbitrary<char>();
        }
        bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
        try {
            (void)decode_envelope(bytes);
        } catch (const UnreadableEvent&) {
        }
    }));
}

TEST(AnEnvelope, IsReadLikeTheGeneratedClassReadsIt) {
    EXPECT_TRUE(rc::check([] {
        const std::string bytes = generated(any_envelope()).SerializeAsString();
        v1::Envelope message;
        RC_ASSERT(message.ParseFromString(encode(decode_envelope(bytes))));
        RC_ASSERT(message.SerializeAsString() == bytes);
    }));
}

}  // namespace
