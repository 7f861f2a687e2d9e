#include "record.hpp"

#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include "beat.hpp"
#include "hex.hpp"
#include "outbox/kit.hpp"

namespace recount::test {
namespace {

constexpr auto trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

RecordedEvent an_event() {
    RecordedEvent event;
    event.at.stream = StreamName{"cart", "17"};
    event.at.version = {3};
    event.at.event_id = event_id("command", 0);
    event.at.type = "shop.ItemAdded";
    event.at.schema_revision = 2;
    event.at.append_id = "command";
    event.at.correlation_id = "conversation";
    event.at.causation_id = "cause";
    event.at.traceparent = trace;
    event.at.occurred_at = parse_timestamp("2010-12-01T08:26:00.000000Z");
    event.at.recorded_at = parse_timestamp("2010-12-01T08:26:01.500000Z");
    event.salt = std::string("\x00\x01\xfe", 3);
    event.payload = std::string("\x0a\x00mug", 5);
    event.at.payload_digest = payload_digest(event.salt, *event.payload);
    event.envelope = encode(event.at);
    event.at.position = {Partition{5}, 1042};
    event.hash = sha256("the hash");
    return event;
}

struct ARecord : testing::Test {
    Uuid incarnation = derived_uuid("test", "incarnation");
    RecordEncoder encoder{"//shop.example/carts", incarnation, {"saga"}};

    /// One header a line, bytes that do not print as hex.
    static std::string headers_of(const kafka::Message& message) {
        std::string text;
        for (const auto& header : message.headers) {
            const bool bytes = header.name == "recount-envelope";
            text += std::string{header.name} + "=" +
                    (bytes ? to_hex(header.value) : std::string{header.value}) + "\n";
        }
        return text;
    }
};

TEST_F(ARecord, IsACloudEventInBinaryModeByteForByte) {
    const auto event = an_event();
    const auto message = encoder.encode(event);
    EXPECT_EQ(message.partition, 5);
    EXPECT_EQ(message.key, "cart-17");
    EXPECT_EQ(message.value, std::string_view("\x0a\x00mug", 5));
    EXPECT_EQ(message.time, event.at.recorded_at);
    EXPECT_EQ(headers_of(message),
              "ce_specversion=1.0\n"
              "ce_id=" +
                  to_string(event.at.event_id) +
                  "\n"
                  "ce_source=//shop.example/carts\n"
                  "ce_type=shop.ItemAdded\n"
                  "ce_subject=cart-17\n"
                  "ce_time=2010-12-01T08:26:00.000000Z\n"
                  "ce_recordedtime=2010-12-01T08:26:01.500000Z\n"
                  "ce_partitionkey=cart-17\n"
                  "ce_streamversion=3\n"
                  "ce_schemarevision=2\n"
                  "ce_correlationid=conversation\n"
                  "ce_causationid=cause\n"
                  "ce_traceparent=" +
                  std::string{trace} +
                  "\n"
                  "traceparent=" +
                  std::string{trace} +
                  "\n"
                  "content-type=application/protobuf\n"
                  "recount-envelope=" +
                  to_hex(event.envelope) +
                  "\n"
                  "recount-position=5:1042\n"
                  "recount-hash=" +
                  to_string(event.hash) +
                  "\n"
                  "recount-incarnation=" +
                  to_string(incarnation) +
                  "\n"
                  "recount-salt=0001fe\n");
}

TEST_F(ARecord, LeavesOutWhatTheEventDoesNotHave) {
    auto event = an_event();
    event.at.correlation_id.clear();
    event.at.causation_id.clear();
    event.at.traceparent.clear();
    const auto text = headers_of(encoder.encode(event));
    for (const auto* name : {"ce_correlationid", "ce_causationid", "traceparent"}) {
        EXPECT_EQ(text.find(name), std::string::npos) << name;
    }
}

TEST_F(ARecord, OfASealedPayloadDoesNotCallItProtobuf) {
    auto event = an_event();
    event.at.encoding = "sealed:customer-7";
    EXPECT_NE(headers_of(encoder.encode(event)).find("content-type=application/octet-stream\n"),
              std::string::npos);
}

TEST_F(ARecord, OfAWithheldCategoryHasNeitherPayloadNorSalt) {
    auto event = an_event();
    event.at.stream = StreamName{"saga", "17"};
    const auto message = encoder.encode(event);
    EXPECT_FALSE(message.value);
    const auto text = headers_of(message);
    EXPECT_NE(text.find("recount-withheld=category\n"), std::string::npos);
    EXPECT_NE(text.find("recount-hash="), std::string::npos);
    EXPECT_EQ(text.find("recount-salt"), std::string::npos);
    EXPECT_EQ(text.find("content-type"), std::string::npos);
}

TEST_F(ARecord, OfAnErasedEventSaysSo) {
    auto event = an_event();
    event.payload.reset();
    event.salt.clear();
    const auto message = encoder.encode(event);
    EXPECT_FALSE(message.value);
    EXPECT_NE(headers_of(message).find("recount-withheld=erased\n"), std::string::npos);
}

TEST_F(ARecord, OfAnEmptyMessageIsNotNull) {
    auto event = an_event();
    event.payload = "";
    EXPECT_EQ(encoder.encode(event).value, std::string_view{});
}

TEST(TheLargestRecord, FollowsFromAStoresLimitsWithinKafkas) {
    EXPECT_EQ(largest_record(AppendLimits{}), 1 << 20);
    EXPECT_EQ(largest_record(AppendLimits{.event_bytes = 100}), 1 << 20);
    EXPECT_EQ(largest_record(AppendLimits{.event_bytes = 2 << 20}), (2 << 20) + 20480);
    EXPECT_EQ(largest_record(AppendLimits{.metadata_bytes = 108'192}), (1 << 20) + 100'000);
    EXPECT_EQ(largest_record(AppendLimits{.after_bytes = 106'144}), (1 << 20) + 100'000);
    EXPECT_EQ(largest_record(AppendLimits{.event_bytes = SIZE_MAX}), 100'000'000);
}

TEST(TheLargestRecord, IsNotOutgrownByAnythingThatTheStoreTakes) {
    const auto store = open_store("memory:", {.partitions = 1});
    static_cast<void>(accepted(store->append(largest_append())));
    RecordEncoder encoder{
        source_of(store->identity().id, largest_source()), store->identity().incarnation, {}};
    const auto event = store->read(Partition{0}, 0).events.at(0);
    const auto record = encoder.encode(event);
    constexpr std::size_t around = 61 + 40;  // of a batch of one, and its record's own fields
    std::size_t bytes = around + record.key.size() + record.value->size();
    for (const auto& [name, value] : record.headers) bytes += name.size() + value.size() + 6;
    EXPECT_LE(bytes, static_cast<std::size_t>(largest_record(AppendLimits{})));
    EXPECT_GE(event.envelope.size(), 14'000U) << "it is the largest";
}

TEST(ABeat, IsReadBackAsItWasWritten) {
    Beat beat;
    beat.identity = {derived_uuid("test", "store"), derived_uuid("test", "second"), 2,
                     "sqlite:a.db"};
    beat.at = parse_timestamp("2010-12-01T08:26:00.000000Z");
    beat.log = "shop.log.1";
    beat.heads = {{7, sha256("a"), beat.at}, {0, sha256("b"), Timestamp{}}};
    beat.published = {5, 0};
    beat.incarnations = {{derived_uuid("test", "first"), std::nullopt, Timestamp{}, {}},
                         {derived_uuid("test", "second"),
                          derived_uuid("test", "first"),
                          beat.at,
                          {{3, sha256("c"), beat.at}, {0, sha256("b"), Timestamp{}}}}};
    const auto read = decode_beat(encode(beat));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->identity.id, beat.identity.id);
    EXPECT_EQ(read->identity.incarnation, beat.identity.incarnation);
    EXPECT_EQ(read->identity.partitions, 2);
    EXPECT_EQ(read->identity.name, "sqlite:a.db");
    EXPECT_EQ(read->at, beat.at);
    EXPECT_EQ(read->log, beat.log);
    EXPECT_EQ(read->heads, beat.heads);
    EXPECT_EQ(read->published, beat.published);
    ASSERT_EQ(read->incarnations.size(), 2U);
    EXPECT_EQ(read->incarnations[1].parent, beat.incarnations[1].parent);
    EXPECT_EQ(read->incarnations[1].forks, beat.incarnations[1].forks);

    beat.published = {-1, 0};
    EXPECT_FALSE(decode_beat(encode(beat)));
    beat.published = {5, 0};
    beat.incarnations[1].forks.pop_back();
    EXPECT_FALSE(decode_beat(encode(beat)));
}

TEST(HexDigits, AreReadAllOrNotAtAll) {
    const std::string fine(64, 'a');
    ASSERT_TRUE(parse_hash(fine));
    EXPECT_EQ(to_string(*parse_hash(fine)), fine);
    EXPECT_FALSE(parse_hash(fine + "aa"));
    std::string bytes;
    std::string every;
    for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
    for (std::size_t from = 0; from <= every.size(); ++from) {
        EXPECT_TRUE(from_hex(to_hex(every.substr(from)), bytes));
        EXPECT_EQ(bytes, every.substr(from));
    }
    EXPECT_TRUE(from_hex("00ff1e", bytes));
    EXPECT_EQ(bytes, std::string("\x00\xff\x1e", 3));
    EXPECT_FALSE(from_hex("00f", bytes));
    for (std::size_t index = 0; index < fine.size(); ++index) {
        for (const char other : {'g', 'A', '/', ':', '`', ' ', '\0', '\xff'}) {
            std::string wrong = fine;
            wrong[index] = other;
            EXPECT_FALSE(parse_hash(wrong)) << index << " " << static_cast<int>(other);
        }
    }
}

TEST(ABeat, IsNothingElse) {
    for (const auto* text : {"", "{}", "[]", "{\"store\": \"x\"}", "hello"}) {
        EXPECT_FALSE(decode_beat(text)) << text;
    }
}

}  // namespace
}  // namespace recount::test
