#include <gmock/gmock.h>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <recount/core/error.hpp>

#include "columns.hpp"
#include "statements.hpp"

namespace recount::projections {
namespace {

using google::protobuf::Descriptor;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// A message as it is written in a .proto file, without one.
class Shape {
public:
    explicit Shape(const std::string& file) {
        google::protobuf::FileDescriptorProto proto;
        EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(file, &proto)) << file;
        proto.set_name("shape.proto");
        built_ = pool_.BuildFile(proto);
        EXPECT_NE(built_, nullptr) << file;
    }
    [[nodiscard]] const Descriptor& row() const { return *built_->FindMessageTypeByName("Row"); }

private:
    google::protobuf::DescriptorPool pool_;
    const google::protobuf::FileDescriptor* built_ = nullptr;
};

std::string field(const std::string& name, int number, const std::string& rest) {
    return " field { name: '" + name + "' number: " + std::to_string(number) + " " + rest + " } ";
}

TEST(AShape, ThatJsonWouldMixUpIsRefused) {
    const std::string swapped =
        field("a", 1, "type: TYPE_STRING label: LABEL_OPTIONAL json_name: 'b'") +
        field("b", 2, "type: TYPE_STRING label: LABEL_OPTIONAL json_name: 'a'");
    const Shape columns{"syntax: 'proto3' message_type { name: 'Row' " + swapped + "}"};
    EXPECT_THAT([&] { RowColumns{columns.row()}; },
                ThrowsMessage<InvalidArgument>(HasSubstr("json_name")));
    const Shape inside{"syntax: 'proto3' message_type { name: 'Row' " +
                       field("m", 1, "type: TYPE_MESSAGE type_name: 'In' label: LABEL_REPEATED") +
                       "} message_type { name: 'In' " + swapped + "}"};
    EXPECT_THAT([&] { RowColumns{inside.row()}; },
                ThrowsMessage<InvalidArgument>(HasSubstr("field In.a")));
    const Shape own{"syntax: 'proto3' message_type { name: 'Row' " +
                    field("a", 1, "type: TYPE_STRING label: LABEL_REPEATED json_name: 'other'") +
                    "}"};
    RowColumns{own.row()};
}

TEST(AShape, OfProto2ThatColumnsDoNotKeepIsRefused) {
    const std::string in = "message_type { name: 'In' ";
    const std::string of_in =
        field("m", 1, "type: TYPE_MESSAGE type_name: 'In' label: LABEL_OPTIONAL");
    const Shape group{"message_type { name: 'Row' " +
                      field("g", 1, "type: TYPE_GROUP type_name: 'Row.G' label: LABEL_OPTIONAL") +
                      "nested_type { name: 'G' } }"};
    EXPECT_THAT([&] { RowColumns{group.row()}; },
                ThrowsMessage<InvalidArgument>(HasSubstr("is a group")));
    const Shape extended{"message_type { name: 'Row' " + of_in + "} " + in +
                         "extension_range { start: 100 end: 200 } }"};
    EXPECT_THAT([&] { RowColumns{extended.row()}; },
                ThrowsMessage<InvalidArgument>(HasSubstr("message In of a row may be extended")));
    const Shape required{"message_type { name: 'Row' " + of_in +
                         field("n", 2, "type: TYPE_INT64 label: LABEL_REQUIRED") + "} " + in + "}"};
    EXPECT_THAT([&] { RowColumns{required.row()}; },
                ThrowsMessage<InvalidArgument>(HasSubstr("required fields beside")));
}

TEST(AShape, WithRequiredFieldsInsideIsCheckedForThem) {
    const Shape shape{"message_type { name: 'Row' " +
                      field("m", 1, "type: TYPE_MESSAGE type_name: 'In' label: LABEL_REPEATED") +
                      "} message_type { name: 'In' " +
                      field("n", 1, "type: TYPE_INT64 label: LABEL_REQUIRED") + "}"};
    const RowColumns columns{shape.row()};
    google::protobuf::DynamicMessageFactory messages;
    const std::unique_ptr<google::protobuf::Message> row{
        messages.GetPrototype(&shape.row())->New()};
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString("m { n: 5 }", row.get()));
    columns.check(*row);
    std::vector<SqlValue> values;
    columns.encode(*row, values);
    const std::unique_ptr<google::protobuf::Message> again{row->New()};
    columns.decode(values, 0, *again);
    EXPECT_EQ(again->ShortDebugString(), "m { n: 5 }");
    row->GetReflection()->AddMessage(row.get(), shape.row().field(0));
    EXPECT_THAT([&] { columns.check(*row); },
                ThrowsMessage<InvalidArgument>(HasSubstr("required")));
}

TEST(AStatement, ThatBeginsOrEndsATransactionIsKnown) {
    for (const char* sql :
         {"commit", " COMMIT ;", "begin", "start transaction", "end", "abort", "rollback",
          "rollback transaction", "prepare transaction 'x'", "insert into t values (1); commit",
          "-- why\ncommit", "/* why; */ commit; begin", "select $tag$ ; $tag$; rollback",
          "select 'it''s'; commit", "select \"a;b\"; commit", ";;commit", "commit prepared 'x'"}) {
        EXPECT_TRUE(ends_transaction(sql)) << sql;
    }
    for (const char* sql : {"",
                            ";",
                            "select 1",
                            "select 'commit'",
                            "insert into t values ('; commit')",
                            "update commit set begin = 1",
                            "select \"; commit\"",
                            "-- commit\nselect 1",
                            "/* ; commit */ select 1",
                            "do $$ begin null; end $$",
                            "select $1; select $2",
                            "savepoint a",
                            "rollback to a",
                            "rollback to savepoint a",
                            "release a",
                            "prepare plan as select 1",
                            "select case when a then b end from t",
                            "select 1 --",
                            "select 'open",
                            "delete from t where a = $x$; commit$x$"}) {
        EXPECT_FALSE(ends_transaction(sql)) << sql;
    }
}

}  // namespace
}  // namespace recount::projections
