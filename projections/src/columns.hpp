#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include <recount/eventstore/sql.hpp>

namespace recount::projections {

inline constexpr std::string_view key_column = "_key";
inline constexpr std::string_view revision_column = "_revision";

/// What becomes of fields of a message within a row that this program does not know: who writes the
/// row again would lose them.
enum class Unknown : std::uint8_t { refused, left_out };

/// Quotes a name for SQL.
std::string quoted(std::string_view name);

/// How a protobuf message and the columns of its row become one another, without loss: a row is
/// made again from its columns before the next event is folded into it.
class RowColumns {
public:
    /// Throws InvalidArgument for a message whose fields cannot be columns.
    explicit RowColumns(const google::protobuf::Descriptor& message);

    /// `_key`, `_revision`, then the fields, in order of their numbers.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    [[nodiscard]] const std::vector<std::string>& types() const { return types_; }
    [[nodiscard]] std::string create_table(std::string_view table, SqlDialect dialect) const;
    /// "name type" lines: what is stored, to tell whether it is still the same.
    [[nodiscard]] std::string describe() const;
    /// For each field, whether a table described so has it too, of the same type.
    [[nodiscard]] std::vector<bool> known_in(std::string_view described) const;
    /// Which field it does not have, for people; empty: it has all.
    [[nodiscard]] std::string lacking_in(std::string_view described) const;

    /// Throws InvalidArgument for what no database keeps: NUL in text or bytes that are not UTF-8,
    /// a number that is none, a message that cannot be JSON. After every event, so that what is
    /// refused does not depend on how many share a transaction.
    void check(const google::protobuf::Message& row) const;
    /// Appends the values of the fields.
    void encode(const google::protobuf::Message& row, std::vector<SqlValue>& values) const;
    /// `names[i]` of the result's columns, from `first` on, are fields of the row.
    void decode(const std::vector<SqlValue>& values, std::size_t first,
                google::protobuf::Message& row) const;
    /// Only the fields that `present` tells; in the order of all fields. For readers, whose program
    /// may be another version than the one that wrote: what they do not know of messages within a
    /// row is left out.
    void decode(const std::vector<SqlValue>& values, std::size_t first,
                const std::vector<bool>& present, google::protobuf::Message& row) const;

private:
    enum class Kind : std::uint8_t { integer, real, text, bytes, json };
    struct Column {
        const google::protobuf::FieldDescriptor* field;
        Kind kind;
    };

    static Kind kind_of(const google::protobuf::FieldDescriptor& field);
    static const char* type_of(Kind kind);
    static bool fallible(const Column& column);
    [[nodiscard]] SqlValue value(const google::protobuf::Message& row, const Column& column) const;
    static void set(google::protobuf::Message& row, const Column& column, const SqlValue& value,
                    Unknown unknown);

    std::vector<Column> columns_;
    std::vector<Column> fallible_;  // those that can hold what no database keeps
    std::vector<std::string> names_, types_;
};

/// A field as JSON text: the object, array or map alone. The same bytes for the same content.
std::string field_json(const google::protobuf::Message& row,
                       const google::protobuf::FieldDescriptor& field);
void set_field_json(google::protobuf::Message& row, const google::protobuf::FieldDescriptor& field,
                    const std::string& json, Unknown unknown = Unknown::refused);

/// Throws InvalidArgument for a message whose fields columns could not give back: groups,
/// extensions, names that JSON would mix up, required fields where others are kept as JSON.
void check_shape(const google::protobuf::Descriptor& row);
/// A type that can hold what JSON cannot say: a time out of range, an Any, a message of any depth
/// or without its required fields. Only writing it tells.
bool json_may_fail(const google::protobuf::FieldDescriptor& field);
/// Throws InvalidArgument when field_json() would.
void check_field_json(const google::protobuf::Message& row,
                      const google::protobuf::FieldDescriptor& field);

/// Throws InvalidArgument: the row holds in this field what it must not.
[[noreturn]] void refuse_field(const google::protobuf::FieldDescriptor& field, const char* what);

}  // namespace recount::projections
