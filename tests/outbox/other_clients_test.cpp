#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "outbox/kit.hpp"
#include "outbox/message_oracle.hpp"
#include "outbox/public_things.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string output_of(const std::string& command) {
    std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return "cannot start " + command;
    std::string text;
    char buffer[4096];
    while (const auto size = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, size);
    if (pclose(pipe) != 0) text += "\n(failed)";
    return text;
}

struct OtherClients : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 3});
    KafkaTopic topic = own_topic_for(*store);

    void SetUp() override {
        append_events(*store, 60);
        append_events(*store, 3, 3, "saga");
        Relay{*store, {.topic = topic}}.catch_up();
    }
};

TEST_F(OtherClients, SeeCloudEventsWithKcat) {
    const auto text = output_of("kcat -C -q -e -o beginning -b " + topic.brokers + " -t " +
                                topic.log() + " -f '%p %k %h\\n'");
    EXPECT_THAT(
        text,
        AllOf(HasSubstr("ce_specversion=1.0"), HasSubstr("ce_source=urn:uuid:"),
              HasSubstr("ce_type=google.protobuf.StringValue"), HasSubstr("ce_subject=thing-7"),
              HasSubstr("ce_partitionkey=thing-7"), HasSubstr("content-type=application/protobuf"),
              HasSubstr("recount-position=2:1"), HasSubstr("recount-withheld=category")));
}

#ifdef PYTHON_WITH_CLIENTS
TEST_F(OtherClients, DecodeEveryEventInPython) {
    const auto text = output_of(std::string{PYTHON_WITH_CLIENTS} + " " PYTHON_SCRIPT " " +
                                topic.brokers + " " + topic.log());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 63) << text;
    EXPECT_THAT(text, AllOf(HasSubstr("google.protobuf.StringValue thing-7 "), HasSubstr("xxx"),
                            HasSubstr("saga-0 category"), testing::Not(HasSubstr("failed"))));
}
#else
TEST_F(OtherClients, DecodeEveryEventInPython) {
    GTEST_SKIP() << "there are no clients in build/python; outbox/README.md says how to get them";
}
#endif

#ifdef PYTHON_WITH_DESERIALISER
TEST(FramedMessages, AreReadByConfluentsDeserialiserInPython) {
    const auto store = open_store("memory:", {.partitions = 3});
    const auto topic = own_message_topic();
    append_events(*store, 40);
    MessageRelay relay{*store,
                       messages<PublicThings>(),
                       {.topic = topic, .schema_id = [](const std::string&) { return 66000; }}};
    EXPECT_EQ(relay.catch_up(), 60);
    const auto text = output_of(std::string{PYTHON_WITH_DESERIALISER} +
                                " " PYTHON_FRAMED_SCRIPT " " + topic.brokers + " " + topic.name);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 60) << text;
    EXPECT_THAT(text, AllOf(HasSubstr("66000 7 "), HasSubstr("/7 "), HasSubstr("#2\n"),
                            testing::Not(HasSubstr("failed"))));
}
#else
TEST(FramedMessages, AreReadByConfluentsDeserialiserInPython) {
    GTEST_SKIP() << "its deserialiser is not in build/python; outbox/README.md says how to get it";
}
#endif

}  // namespace
}  // namespace recount::test
