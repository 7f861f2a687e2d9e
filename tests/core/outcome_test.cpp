#include <recount/core/append.hpp>
#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "recount/envelope.pb.h"

namespace {

using namespace recount;

CommandOutcome good_outcome() {
    CommandOutcome outcome;
    outcome.command_id = "command-1";
    outcome.kind = CommandOutcome::Kind::events;
    outcome.request = sha256("of the request");
    outcome.streams.push_back(
        {StreamName{"cart", "1"}, Version{3}, Version{5}, {Partition{2}, 40}});
    outcome.streams.push_back({StreamName{"cart", "2"}, Version{1}, Version{1}, {Partition{0}, 7}});
    outcome.recorded_at = Timestamp{std::chrono::microseconds{1291191960000007}};
    outcome.reached = {Uuid::from("0123456789abcdef"), Uuid::from("fedcba9876543210"),
                       Positions{16}};
    outcome.reached.positions.raise({Partition{2}, 42});
    return outcome;
}

TEST(AnOutcome, ComesBackAsItWent) {
    EXPECT_EQ(decode_outcome("command-1", encode(good_outcome())), good_outcome());
    for (const auto kind : {CommandOutcome::Kind::nothing, CommandOutcome::Kind::refused,
                            CommandOutcome::Kind::voided}) {
        CommandOutcome outcome;
        outcome.command_id = "x";
        outcome.kind = kind;
        outcome.rejection = {"code", "detail\nof two lines"};
        EXPECT_EQ(decode_outcome("x", encode(outcome)), outcome);
    }
}

v1::Outcome generated(const CommandOutcome& outcome) {
    v1::Outcome message;
    message.set_command_id(outcome.command_id);
    message.set_kind(static_cast<v1::Outcome::Kind>(outcome.kind));
    message.set_request(std::string{outcome.request.view()});
    for (const StreamAppended& one : outcome.streams) {
        v1::StreamAppended& added = *message.add_streams();
        added.set_stream(std::string{one.stream.full()});
        added.set_first(one.first.value);
        added.set_last(one.last.value);
        added.set_partition(one.first_position.partition.value);
        added.set_first_n(one.first_position.n);
    }
    message.set_rejection_code(outcome.rejection.code);
    message.set_rejection_detail(outcome.rejection.detail);
    message.set_recorded_at(outcome.recorded_at.time_since_epoch().count());
    message.mutable_reached()->set_store(std::string{outcome.reached.store.view()});
    message.mutable_reached()->set_incarnation(std::string{outcome.reached.incarnation.view()});
    for (const std::int64_t n : outcome.reached.positions.values()) {
        message.mutable_reached()->add_positions(n);
    }
    return message;
}

std::string with_digest(const std::string& fields) {
    return fields + "\x4a\x10" +
           std::string{sha256("recount/outcome/1" + fields).view().substr(0, 16)};
}

/// As a store puts it behind encode_unplaced().
std::string eight_bytes(std::uint64_t n) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(n >> shift));
    return bytes;
}

CommandOutcome single_event() {
    CommandOutcome outcome = good_outcome();
    outcome.streams.resize(1);
    outcome.streams.front().last = outcome.streams.front().first;
    place_at(outcome, 300);
    return outcome;
}

TEST(AnOutcome, MayGetItsPlaceFromWhoWritesIt) {
    CommandOutcome guessed = single_event();
    place_at(guessed, 299);
    const std::string fields = encode_unplaced(guessed);
    EXPECT_EQ(fields, encode_unplaced(single_event())) << "it does not say where it is";
    const auto placed = decode_outcome("command-1", with_digest(fields + eight_bytes(300)));
    EXPECT_EQ(placed, single_event());
    EXPECT_EQ(placed.reached.positions[Partition{2}], 300);
}

TEST(AnOutcome, HasAPlaceOfASingleEvent) {
    const std::string fields = encode_unplaced(single_event());
    const auto refused = [](const std::string& bytes) {
        EXPECT_THROW(static_cast<void>(decode_outcome("command-1", bytes)), UnreadableEvent);
    };
    refused(with_digest(fields + eight_bytes(0)));
    refused(with_digest(fields + eight_bytes(std::uint64_t{1} << 63)));
    refused(with_digest(fields.substr(0, fields.size() - 1) + "\x04" + "1234"));
    refused(with_digest(encode_unplaced(good_outcome()) + eight_bytes(300)));  // of two streams
    std::string moved = with_digest(fields + eight_bytes(300));
    moved[fields.size() + 7] ^= 1;
    refused(moved);
}

std::string digest(v1::Outcome message) {
    message.clear_digest();
    return std::string{
        sha256("recount/outcome/1" + message.SerializeAsString()).view().substr(0, 16)};
}

TEST(AnOutcome, HasTheBytesThatProtobufGivesIt) {
    CommandOutcome refused;
    refused.command_id = "x";
    refused.kind = CommandOutcome::Kind::refused;
    refused.rejection = {"code", std::string(300, 'd')};
    CommandOutcome bare;
    bare.streams.push_back({StreamName{"cart", std::string(200, 'c')}, Version{0}, Version{1}, {}});
    CommandOutcome early = good_outcome();
    early.recorded_at = Timestamp{std::chrono::microseconds{-1}};
    for (const CommandOutcome& outcome : {good_outcome(), refused, bare, early}) {
        v1::Outcome message = generated(outcome);
        message.set_digest(digest(message));
        EXPECT_EQ(encode(outcome), message.SerializeAsString());
    }
}

TEST(AnOutcome, OfAnEarlierProgramHasNoDigest) {
    const std::string bytes = generated(good_outcome()).SerializeAsString();
    EXPECT_EQ(decode_outcome("command-1", bytes), good_outcome());
}

TEST(AnOutcome, WithOneBitFlippedIsRefusedWhereverItIs) {
    const std::string whole = encode(good_outcome());
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
        EXPECT_THAT([&] { decode_outcome("command-1", damaged); },
                    testing::ThrowsMessage<UnreadableEvent>(testing::HasSubstr("command-1")))
            << "bit " << bit << " of " << whole.size() * 8;
    }
    EXPECT_THROW(decode_outcome("command-2", whole), UnreadableEvent) << "the row of another";
}

TEST(AnOutcome, ThatIsBrokenIsRefused) {
    // With a digest that fits: a program that knows more, or less.
    const auto broken = [](const std::function<void(v1::Outcome&)>& damage) {
        v1::Outcome message = generated(good_outcome());
        damage(message);
        message.set_digest(digest(message));
        return message.SerializeAsString();
    };
    const std::string bytes[] = {
        "",
        "\xff",
        broken([](auto& m) { m.set_kind(v1::Outcome::KIND_UNSPECIFIED); }),
        broken([](auto& m) { m.set_kind(static_cast<v1::Outcome::Kind>(9)); }),
        broken([](auto& m) { m.set_request("short"); }),
        broken([](auto& m) { m.mutable_streams(0)->set_stream("nodash"); }),
        broken([](auto& m) { m.mutable_reached()->set_store("short"); })};
    for (const std::string& one : bytes) {
        EXPECT_THROW(decode_outcome("command-1", one), UnreadableEvent);
    }
}

}  // namespace
