#include "columns.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>

namespace recount::projections {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (const char letter : name) {
        if (letter == '"') out += '"';
        out += letter;
    }
    return out + '"';
}

RowColumns::Kind RowColumns::kind_of(const FieldDescriptor& field) {
    if (field.is_repeated()) return Kind::json;
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
        case FieldDescriptor::CPPTYPE_INT64:
        case FieldDescriptor::CPPTYPE_UINT32:
        case FieldDescriptor::CPPTYPE_ENUM:
        case FieldDescriptor::CPPTYPE_BOOL:
            return Kind::integer;
        case FieldDescriptor::CPPTYPE_FLOAT:
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return Kind::real;
        case FieldDescriptor::CPPTYPE_STRING:
            return field.type() == FieldDescriptor::TYPE_BYTES ? Kind::bytes : Kind::text;
        case FieldDescriptor::CPPTYPE_MESSAGE:
            return Kind::json;
        case FieldDescriptor::CPPTYPE_UINT64:
            break;
    }
    throw InvalidArgument("field " + field.full_name() +
                          " is a uint64, which fits no integer column; make it an int64");
}

bool RowColumns::fallible(const Column& column) {
    switch (column.kind) {
        case Kind::text:
        case Kind::real:
            return true;
        case Kind::json:
            return json_may_fail(*column.field);
        case Kind::integer:
        case Kind::bytes:
            break;
    }
    return false;
}

const char* RowColumns::type_of(Kind kind) {
    switch (kind) {
        case Kind::integer:
            return "bigint";
        case Kind::real:
            return "double precision";
        case Kind::bytes:
            return "bytea";
        case Kind::text:
        case Kind::json:
            return "text";
    }
    return "text";
}

RowColumns::RowColumns(const google::protobuf::Descriptor& message)
    : names_{std::string{key_column}, std::string{revision_column}}, types_{"text", "bigint"} {
    check_shape(message);
    for (int index = 0; index < message.field_count(); ++index) {
        const FieldDescriptor& field = *message.field(index);
        const std::string& name = field.name();
        if (name.starts_with("_") || name.size() > 63) {
            throw InvalidArgument("field " + field.full_name() +
                                  " cannot be a column: names have 1 to 63 bytes and do not begin "
                                  "with an underscore; rename it");
        }
        columns_.push_back({&field, kind_of(field)});
    }
    std::sort(columns_.begin(), columns_.end(), [](const Column& left, const Column& right) {
        return left.field->number() < right.field->number();
    });
    for (const Column& column : columns_) {
        if (fallible(column)) fallible_.push_back(column);
        names_.push_back(column.field->name());
        types_.emplace_back(type_of(column.kind));
    }
}

std::string RowColumns::create_table(std::string_view table, SqlDialect dialect) const {
    std::string sql = "create table " + quoted(table) + " (";
    for (std::size_t index = 0; index < names_.size(); ++index) {
        sql += (index == 0 ? "" : ", ") + quoted(names_[index]) + " " + types_[index];
        // Keys are in the order of their bytes in both databases.
        if (index == 0 && dialect == SqlDialect::postgresql) sql += " collate \"C\"";
        if (index == 0) sql += " primary key";
        if (index < 2) sql += " not null";
    }
    return sql + ")";
}

std::string RowColumns::describe() const {
    std::string text;
    for (std::size_t index = 2; index < names_.size(); ++index) {
        const FieldDescriptor& field = *columns_[index - 2].field;
        text += names_[index] + " " + types_[index];
        // What is inside a JSON column is part of the row's shape too.
        if (columns_[index - 2].kind == Kind::json) {
            text += field.is_map() ? " map" : field.is_repeated() ? " list" : " object";
        }
        text += "\n";
    }
    return text;
}

std::vector<bool> RowColumns::known_in(std::string_view described) const {
    const std::string lines = "\n" + std::string{described};
    const std::string own = describe();
    std::vector<bool> known;
    for (std::size_t at = 0; at < own.size();) {
        const std::size_t end = own.find('\n', at);
        known.push_back(lines.find("\n" + own.substr(at, end - at + 1)) != std::string::npos);
        at = end + 1;
    }
    return known;
}

std::string RowColumns::lacking_in(std::string_view described) const {
    const std::vector<bool> known = known_in(described);
    const auto lacks = std::ranges::find(known, false);
    if (lacks == known.end()) return {};
    return "it is of another version and has no column " +
           names_[static_cast<std::size_t>(lacks - known.begin()) + 2] +
           " of this program's row: that field is empty";
}

namespace {

// SQLite does not keep the sign of zero.
double kept_number(double number) { return number == 0 ? 0.0 : number; }

}  // namespace

SqlValue RowColumns::value(const Message& row, const Column& column) const {
    const FieldDescriptor& field = *column.field;
    const Reflection& reflection = *row.GetReflection();
    if (field.has_presence() && !reflection.HasField(row, &field)) return std::monostate{};
    if (column.kind == Kind::json) return field_json(row, field);
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            return std::int64_t{reflection.GetInt32(row, &field)};
        case FieldDescriptor::CPPTYPE_INT64:
            return std::int64_t{reflection.GetInt64(row, &field)};
        case FieldDescriptor::CPPTYPE_UINT32:
            return std::int64_t{reflection.GetUInt32(row, &field)};
        case FieldDescriptor::CPPTYPE_ENUM:
            return std::int64_t{reflection.GetEnumValue(row, &field)};
        case FieldDescriptor::CPPTYPE_BOOL:
            return std::int64_t{reflection.GetBool(row, &field)};
        case FieldDescriptor::CPPTYPE_FLOAT:
            return kept_number(double{reflection.GetFloat(row, &field)});
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return kept_number(reflection.GetDouble(row, &field));
        default:
            break;
    }
    std::string scratch;
    const std::string& text = reflection.GetStringReference(row, &field, &scratch);
    if (column.kind == Kind::bytes) return Bytes{text};
    return text;
}

void RowColumns::check(const Message& row) const {
    const Reflection& reflection = *row.GetReflection();
    std::string scratch;
    for (const Column& column : fallible_) {
        const FieldDescriptor& field = *column.field;
        if (column.kind == Kind::text) {
            const std::string& text = reflection.GetStringReference(row, &field, &scratch);
            if (text.find('\0') != std::string::npos) refuse_field(field, "a NUL character");
            if (!valid_utf8(text)) refuse_field(field, "text that is not UTF-8");
        } else if (column.kind == Kind::json) {
            check_field_json(row, field);
        } else if (std::isnan(field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT
                                  ? double{reflection.GetFloat(row, &field)}
                                  : reflection.GetDouble(row, &field))) {
            refuse_field(field, "NaN");
        }
    }
}

void RowColumns::encode(const Message& row, std::vector<SqlValue>& values) const {
    for (const Column& column : columns_) values.push_back(value(row, column));
}

void RowColumns::set(Message& row, const Column& column, const SqlValue& value, Unknown unknown) {
    if (std::holds_alternative<std::monostate>(value)) return;
    const FieldDescriptor& field = *column.field;
    const Reflection& reflection = *row.GetReflection();
    const auto integer = [&] { return std::get<std::int64_t>(value); };
    switch (column.kind) {
        case Kind::json:
            return set_field_json(row, field, std::get<std::string>(value), unknown);
        case Kind::text:
            return reflection.SetString(&row, &field, std::get<std::string>(value));
        case Kind::bytes:
            return reflection.SetString(&row, &field, std::get<Bytes>(value).data);
        case Kind::real: {
            const double number = std::get<double>(value);
            if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
                return reflection.SetDouble(&row, &field, number);
            }
            return reflection.SetFloat(&row, &field, static_cast<float>(number));
        }
        case Kind::integer:
            break;
    }
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            return reflection.SetInt32(&row, &field, static_cast<std::int32_t>(integer()));
        case FieldDescriptor::CPPTYPE_UINT32:
            return reflection.SetUInt32(&row, &field, static_cast<std::uint32_t>(integer()));
        case FieldDescriptor::CPPTYPE_ENUM:
            return reflection.SetEnumValue(&row, &field, static_cast<int>(integer()));
        case FieldDescriptor::CPPTYPE_BOOL:
            return reflection.SetBool(&row, &field, integer() != 0);
        default:
            return reflection.SetInt64(&row, &field, integer());
    }
}

void RowColumns::decode(const std::vector<SqlValue>& values, std::size_t first,
                        Message& row) const {
    for (std::size_t index = 0; index < columns_.size(); ++index) {
        set(row, columns_[index], values.at(first + index), Unknown::refused);
    }
}

void RowColumns::decode(const std::vector<SqlValue>& values, std::size_t first,
                        const std::vector<bool>& present, Message& row) const {
    std::size_t at = first;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
        if (!present[index]) continue;
        set(row, columns_[index], values.at(at++), Unknown::left_out);
    }
}

}  // namespace recount::projections
