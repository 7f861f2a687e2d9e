#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/outbox/message.hpp>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include "message_record.hpp"
#include "outbox/public_things.hpp"

namespace recount::test {
namespace {

using google::protobuf::BoolValue;
using google::protobuf::StringValue;

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

TEST(ConfluentFraming, WritesTheFirstTypeOfAFileAsOneZero) {
    EXPECT_EQ(confluent_frame(1, {0}, "payload"), bytes({0, 0, 0, 0, 1, 0}) + "payload");
}
TEST(ConfluentFraming, WritesTheSchemaIdWithItsHighByteFirst) {
    EXPECT_EQ(confluent_frame(0x01020304, {0}, ""), bytes({0, 1, 2, 3, 4, 0}));
}
TEST(ConfluentFraming, WritesCountAndIndexesAsZigZagVarints) {
    EXPECT_EQ(confluent_frame(7, {1}, ""), bytes({0, 0, 0, 0, 7, 0x02, 0x02}));
    EXPECT_EQ(confluent_frame(7, {1, 0}, ""), bytes({0, 0, 0, 0, 7, 0x04, 0x02, 0x00}));
    EXPECT_EQ(confluent_frame(7, {63}, ""), bytes({0, 0, 0, 0, 7, 0x02, 0x7e}));
    EXPECT_EQ(confluent_frame(7, {64}, ""), bytes({0, 0, 0, 0, 7, 0x02, 0x80, 0x01}));
    EXPECT_EQ(confluent_frame(7, {0, 0}, ""), bytes({0, 0, 0, 0, 7, 0x04, 0x00, 0x00}));
}
TEST(ConfluentFraming, RefusesATypeWithoutAPlace) {
    EXPECT_THROW(confluent_frame(7, {}, ""), InvalidArgument);
}

TEST(AMessage, KnowsWhereItsTypeStandsInItsFile) {
    EXPECT_EQ((Message{"k", google::protobuf::DoubleValue{}}.type_path), (std::vector<int>{0}));
    EXPECT_EQ((Message{"k", StringValue{}}.type_path), (std::vector<int>{7}));
    EXPECT_EQ((Message{"k", google::protobuf::DescriptorProto::ReservedRange{}}.type_path),
              (std::vector<int>{2, 1}));
}
TEST(AMessage, NeedsAKey) { EXPECT_THROW((Message{"", StringValue{}}), InvalidArgument); }

/// Every form in which a mapping may answer, and what it is told of erased events.
struct EveryForm {
    static constexpr std::string_view name = "every_form";
    using Event = Events<StringValue, BoolValue, google::protobuf::Int32Value>;
    static Message publish(const StringValue& event, const Recorded& at) {
        return {at.stream.id(), event};
    }
    static std::optional<Message> publish(const BoolValue& event, const Recorded&) {
        if (!event.value()) return std::nullopt;
        return Message{"yes", event};
    }
    static std::vector<Message> publish(const google::protobuf::Int32Value& event,
                                        const Recorded&) {
        return std::vector<Message>(static_cast<std::size_t>(event.value()), Message{"n", event});
    }
    static Message publish(const Erased& event, const Recorded&) {
        Message message;
        message.key = event.type;
        return message;
    }
};

RecordedEvent recorded(const google::protobuf::Message& message) {
    NewEvent made = new_event(message);
    RecordedEvent event;
    event.at.stream = StreamName{"thing", "17"};
    event.at.type = made.type;
    event.at.event_id = event_id("command", 0);
    event.at.position = {Partition{3}, 1042};
    event.payload = made.payload;
    return event;
}

struct AMapping : testing::Test {
    MessageMapping mapping = messages<EveryForm>();

    template <class M>
    static M with(decltype(M{}.value()) value) {
        M message;
        message.set_value(value);
        return message;
    }
    std::size_t count(const google::protobuf::Message& message) {
        return mapping.publish(recorded(message)).size();
    }
};

TEST_F(AMapping, AnswersWithOneMaybeOneOrMany) {
    EXPECT_EQ(count(with<StringValue>("x")), 1U);
    EXPECT_EQ(count(with<BoolValue>(true)), 1U);
    EXPECT_EQ(count(with<BoolValue>(false)), 0U);
    EXPECT_EQ(count(with<google::protobuf::Int32Value>(3)), 3U);
    EXPECT_EQ(count(with<google::protobuf::Int64Value>(3)), 0U);  // not one of its events
}

struct OfOlderThings {
    static constexpr std::string_view name = "of_older_things";
    using Event = Events<StringValue>;
    using Older = recount::Older<Renamed<"shop.Ordered", StringValue>>;
    static Message publish(const StringValue& event, const Recorded&) {
        return {event.value(), event};
    }
    static Message publish(const Erased& event, const Recorded& at) {
        return {event.type + "@" + to_string(at.position), StringValue{}};
    }
};

TEST_F(AMapping, IsGivenEventsOfOlderTypesAsWhatTheyBecame) {
    const MessageMapping of_older = messages<OfOlderThings>();
    auto event = recorded(with<StringValue>("mug"));
    event.at.type = "shop.Ordered";
    ASSERT_EQ(of_older.publish(event).size(), 1U);
    EXPECT_EQ(of_older.publish(event)[0].key, "mug");
    event.payload.reset();
    ASSERT_EQ(of_older.publish(event).size(), 1U);
    EXPECT_EQ(of_older.publish(event)[0].key, "shop.Ordered@3:1042");
    event.at.type = "shop.Unheard";
    EXPECT_TRUE(of_older.publish(event).empty());
}

TEST_F(AMapping, IsToldOfErasedEventsWhenItAsksForThem) {
    auto event = recorded(with<StringValue>("x"));
    event.payload.reset();
    EXPECT_EQ(mapping.publish(event).at(0).key, "google.protobuf.StringValue");
    EXPECT_TRUE(messages<PublicThings>().publish(event).empty());
}

TEST_F(AMapping, GivesIdsThatFollowFromNameEventAndPlace) {
    const MessageRelayOptions options;
    StoreIdentity store;
    const auto ids = [&](const MessageMapping& one, const RecordedEvent& event) {
        std::vector<std::string> all;
        MessageEncoder encoder{one, options, store, 3};
        for (const auto& record : encoder.encode(event)) all.emplace_back(record.headers[1].value);
        return all;
    };
    const auto event = recorded(with<google::protobuf::Int32Value>(2));
    const auto first = ids(mapping, event);
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0],
              to_string(derived_uuid("recount/message/1",
                                     "every_form/" + to_string(event.at.event_id) + "/0")));
    EXPECT_NE(first[0], first[1]);
    EXPECT_EQ(ids(mapping, event), first);
    auto renamed = mapping;
    renamed.name = "other";
    EXPECT_NE(ids(renamed, event)[0], first[0]);
}

}  // namespace
}  // namespace recount::test
