#include "schema_changes.hpp"

#include <memory>

#include <recount/core/error.hpp>

#include <gmock/gmock.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "type_schema.hpp"

namespace recount {
namespace {

namespace pb = google::protobuf;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

void parse(const std::string& source, const std::string& name, pb::FileDescriptorProto& file) {
    pb::io::ArrayInputStream input{source.data(), static_cast<int>(source.size())};
    pb::io::Tokenizer tokenizer{&input, nullptr};
    pb::compiler::Parser parser;
    file.set_name(name);
    EXPECT_TRUE(parser.Parse(&tokenizer, &file)) << source;
}

/// The message M of a .proto text, in a pool of its own.
class Parsed {
public:
    explicit Parsed(const std::string& text, const std::string& syntax = "proto3") {
        const std::string source = "syntax = \"" + syntax + "\"; package shop; " + text;
        pb::FileDescriptorProto file;
        parse(source, "shop.proto", file);
        EXPECT_NE(pool_.BuildFile(file), nullptr) << source;
    }
    const pb::Descriptor& message() const { return *pool_.FindMessageTypeByName("shop.M"); }

private:
    pb::DescriptorPool pool_;
};

std::vector<std::string> changes(const std::string& before, const std::string& now) {
    const Parsed old_one{before}, new_one{now};
    return incompatible_changes(old_one.message(), new_one.message());
}

std::vector<std::string> proto2_changes(const std::string& before, const std::string& now) {
    const Parsed old_one{before, "proto2"}, new_one{now, "proto2"};
    return incompatible_changes(old_one.message(), new_one.message());
}

TEST(AStoredType, MayHaveMoreThanAReaderKnows) {
    const auto read = [](const std::string& stored, const std::string& now) {
        const Parsed before{stored}, after{now};
        return incompatible_changes(before.message(), after.message(), Use::reading);
    };
    EXPECT_THAT(read("message M { int32 a = 1; E b = 2; } enum E { X = 0; Y = 1; }",
                     "message M { E b = 2; } enum E { X = 0; }"),
                IsEmpty());
    EXPECT_THAT(read("message M { int64 a = 1; }", "message M { int32 a = 1; }"),
                ElementsAre(HasSubstr("shop.M.a")));
    EXPECT_THAT(read("message M { int32 a = 1; }", "message M { int32 a = 2; }"),
                ElementsAre(HasSubstr("moved from number 1 to 2")));
}

TEST(AStoredType, MayGrowRenameAndWiden) {
    EXPECT_THAT(changes("message M { int32 a = 1; string b = 2; }",
                        "message M { int64 a = 1; string bb = 2; bytes c = 3; }"),
                IsEmpty());
}

TEST(AStoredType, RefusesANumberGivenToAnotherType) {
    EXPECT_THAT(
        changes("message M { string name = 1; }", "message M { int64 pence = 1; }"),
        ElementsAre(HasSubstr("shop.M.pence = 1 is int64, but stored events have string name")));
}

TEST(AStoredType, RefusesNarrowerAndRepeated) {
    EXPECT_THAT(changes("message M { int64 a = 1; string b = 2; }",
                        "message M { int32 a = 1; repeated string b = 2; }"),
                ElementsAre(HasSubstr("shop.M.a"), HasSubstr("repeated string")));
}

TEST(AStoredType, MayLoseAFieldOnlyWhenItsNumberIsReserved) {
    EXPECT_THAT(changes("message M { string a = 1; string b = 2; }", "message M { string a = 1; }"),
                ElementsAre(HasSubstr("`reserved 2;`")));
    EXPECT_THAT(changes("message M { string a = 1; string b = 2; }",
                        "message M { reserved 2; string a = 1; }"),
                IsEmpty());
}

TEST(AStoredType, RefusesAFieldThatMoved) {
    EXPECT_THAT(changes("message M { string a = 1; }", "message M { reserved 1; string a = 2; }"),
                ElementsAre(HasSubstr("moved from number 1 to 2")));
}

TEST(AStoredType, IsComparedThroughAllThatItReaches) {
    EXPECT_THAT(changes("message M { N n = 1; } message N { M back = 1; string a = 2; }",
                        "message M { N n = 1; } message N { M back = 1; bool a = 2; }"),
                ElementsAre(HasSubstr("shop.N.a")));
    EXPECT_THAT(changes("message M { map<string, int64> m = 1; }",
                        "message M { map<string, string> m = 1; }"),
                ElementsAre(HasSubstr("shop.M.MEntry.value")));
}

TEST(AStoredEnum, KeepsEachValueAtItsNumber) {
    EXPECT_THAT(
        changes("message M { E e = 1; } enum E { NONE = 0; CARD = 1; CASH = 2; }",
                "message M { E e = 1; } enum E { NONE = 0; CASH = 1; CARD = 2; }"),
        ElementsAre(HasSubstr("CARD moved from 1 to 2"), HasSubstr("CASH moved from 2 to 1")));
    EXPECT_THAT(changes("message M { E e = 1; } enum E { NONE = 0; CARD = 1; }",
                        "message M { E e = 1; } enum E { NONE = 0; }"),
                ElementsAre(HasSubstr("`reserved 1;`")));
    EXPECT_THAT(changes("message M { E e = 1; } enum E { NONE = 0; CARD = 1; }",
                        "message M { E e = 1; } enum E { NONE = 0; PLASTIC = 1; NEW = 2; }"),
                IsEmpty());
}

TEST(AStoredType, RefusesAFieldThatBecomesRequired) {
    EXPECT_THAT(
        proto2_changes("message M { optional string a = 1; }",
                       "message M { required string a = 1; required string b = 2; }"),
        ElementsAre(HasSubstr("shop.M.a = 1 is required"), HasSubstr("shop.M.b = 2 is required")));
    EXPECT_THAT(proto2_changes("message M { required string a = 1; }",
                               "message M { required string a = 1; optional string b = 2; }"),
                IsEmpty());
}

TEST(AStoredType, LooksIntoGroupsOfProto2) {
    const auto group_with = [](const std::string& field) {
        return "message M { optional group G = 1 { optional " + field + " } }";
    };
    EXPECT_THAT(proto2_changes(group_with("int64 a = 1;"), group_with("string a = 1;")),
                ElementsAre(HasSubstr("shop.M.G.a = 1 is string")));
    EXPECT_THAT(proto2_changes(group_with("int64 a = 1;"), group_with("int64 a = 1;")), IsEmpty());
}

TEST(AStoredType, RefusesFieldsThatAreJoinedInAOneof) {
    EXPECT_THAT(changes("message M { string a = 1; string b = 2; }",
                        "message M { oneof one { string a = 1; string b = 2; } }"),
                ElementsAre(HasSubstr("shop.M.a = 1 was put into oneof one with b"),
                            HasSubstr("shop.M.b = 2 was put into oneof one with a")));
    EXPECT_THAT(changes("message M { string a = 1; }",
                        "message M { oneof one { string a = 1; string b = 2; } }"),
                IsEmpty());
    EXPECT_THAT(changes("message M { oneof one { string a = 1; } }",
                        "message M { oneof one { string a = 1; string b = 2; } }"),
                IsEmpty());
    EXPECT_THAT(changes("message M { oneof x { string a = 1; } oneof y { string b = 2; } }",
                        "message M { oneof z { string a = 1; string b = 2; } }"),
                ElementsAre(HasSubstr("shop.M.a = 1 was put into oneof z with b"),
                            HasSubstr("shop.M.b = 2 was put into oneof z with a")));
    EXPECT_THAT(changes("message M { oneof x { string a = 1; string b = 2; } }",
                        "message M { oneof z { string a = 1; string b = 2; } }"),
                IsEmpty());
}

/// Of a type that every program knows, as an earlier program declared it.
StoredSchema duration_of(std::int64_t revision, const std::string& fields) {
    pb::FileDescriptorSet set;
    pb::FileDescriptorProto& file = *set.add_file();
    parse("syntax = \"proto3\"; package google.protobuf; message Duration { " + fields + " }",
          "google/protobuf/duration.proto", file);
    return {revision, set.SerializeAsString()};
}

TEST(AStoredType, IsComparedWithEachRevisionOfIt) {
    const auto first = duration_of(1, "string seconds = 1; int32 nanos = 2;");
    const auto second = duration_of(2, "reserved 1; int32 nanos = 2;");
    EXPECT_NO_THROW(check_evolution("google.protobuf.Duration", {{second}}, "a store"));
    EXPECT_THAT(
        [&] {
            check_evolution("google.protobuf.Duration", {{first, second}}, "a store");
        },
        ThrowsMessage<Mismatch>(AllOf(HasSubstr("revision 1"), HasSubstr("seconds = 1 is int64"))));
}

}  // namespace
}  // namespace recount
