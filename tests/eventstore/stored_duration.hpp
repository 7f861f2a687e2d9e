#pragma once

#include <recount/core.hpp>
#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>

#include <functional>
#include <string>

namespace recount::test {

/// As if an earlier program had stored google.protobuf.Duration otherwise declared.
inline void store_changed_duration(
    const std::string& url, const std::function<void(google::protobuf::DescriptorProto&)>& change) {
    google::protobuf::FileDescriptorSet set;
    google::protobuf::Duration::descriptor()->file()->CopyTo(set.add_file());
    change(*set.mutable_file(0)->mutable_message_type(0));
    const auto database = Database::open(url);
    const auto transaction = database->begin(SqlMode::write);
    transaction->exec("update schema set fingerprint = $1, descriptors = $2 where revision = 1",
                      Bytes{std::string(32, '\x01')}, Bytes{set.SerializeAsString()});
    transaction->exec("delete from schema where revision > 1");
    transaction->commit();
}

inline AppendResult append_duration(const std::string& url, const std::string& id) {
    Append append;
    append.metadata.command_id = id;
    append.writes = {
        {StreamName::parse("cart-1"), Expected::any(), {new_event(google::protobuf::Duration{})}}};
    append.request = request_hash(append);
    return open_store(url)->append(append);
}

/// In an empty store.
inline void expect_evolution_checked(const std::string& url) {
    static_cast<void>(append_duration(url, "a"));
    // A field that the program has besides: a new revision.
    store_changed_duration(url, [](auto& message) { message.mutable_field()->RemoveLast(); });
    static_cast<void>(append_duration(url, "b"));
    const auto store = open_store(url, {.read_only = true});
    const auto events = store->read_stream(StreamName::parse("cart-1")).events;
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[1].at.schema_revision, 2U);
    EXPECT_TRUE(store->schema("google.protobuf.Duration", 2));

    EXPECT_EQ(append_duration(url, "b2").outcome->streams[0].last.value, 3);
}

/// A program's own reading of it.
struct Elapsed {
    static constexpr std::string_view category = "cart";
    using Event = Events<google::protobuf::Duration>;
    std::int64_t seconds = 0;
};
inline Elapsed evolve(Elapsed elapsed, const google::protobuf::Duration& event) {
    elapsed.seconds += event.seconds();
    return elapsed;
}

/// In an empty store as well.
inline void expect_misreading_refused(const std::string& url) {
    using testing::AllOf;
    using testing::HasSubstr;
    static_cast<void>(append_duration(url, "a"));
    store_changed_duration(url, [](auto& message) {
        message.mutable_field(0)->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
    });
    EXPECT_THAT([&] { static_cast<void>(append_duration(url, "b")); },
                testing::ThrowsMessage<Mismatch>(
                    AllOf(HasSubstr("google.protobuf.Duration.seconds"), HasSubstr("revision 1"))));
    {
        const auto store = open_store(url);
        EXPECT_EQ(store->read_stream(StreamName::parse("cart-1")).head.value, 1);
        Repository<Elapsed> repository{*store};
        EXPECT_THAT(
            [&] { repository.load("1"); },
            testing::ThrowsMessage<Mismatch>(AllOf(HasSubstr("google.protobuf.Duration.seconds"),
                                                   HasSubstr("nothing was read"))));
    }

    // Who only reads may know less.
    store_changed_duration(url, [](auto& message) {
        auto& field = *message.add_field();
        field = message.field(0);
        field.set_name("parts");
        field.set_json_name("parts");
        field.set_number(3);
    });
    const auto later = open_store(url);
    EXPECT_EQ(Repository<Elapsed>{*later}.load("1").version.value, 1);
}

}  // namespace recount::test
