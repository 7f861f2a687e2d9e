#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <recount/core/error.hpp>

#include "columns.hpp"

namespace recount::projections {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

/// `within`: the messages around the field, none of which may come again: it may be of any depth.
bool may_fail(const FieldDescriptor& field, std::vector<const Descriptor*>& within) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return false;
    const Descriptor& message = *field.message_type();
    const bool again = std::find(within.begin(), within.end(), &message) != within.end();
    if (again || message.file()->package() == "google.protobuf") return true;
    within.push_back(&message);
    bool any = false;
    for (int index = 0; index < message.field_count() && !any; ++index) {
        any = message.field(index)->is_required() || may_fail(*message.field(index), within);
    }
    within.pop_back();
    return any;
}

[[noreturn]] void refuse_shape(const std::string& what, const char* why) {
    throw InvalidArgument(what + " of a row " + why);
}

/// What is kept as JSON is told under the fields' names, and read under those and their json_names.
void check_names(const Descriptor& message) {
    for (int index = 0; index < message.field_count(); ++index) {
        const FieldDescriptor& field = *message.field(index);
        const FieldDescriptor* other = message.FindFieldByName(field.json_name());
        if (other == nullptr || other == &field) continue;
        refuse_shape("field " + field.full_name(),
                     "has the name of another field as its json_name, so that JSON would mix the "
                     "two up; give it another one");
    }
}

void check_message(const Descriptor& message, std::set<const Descriptor*>& known) {
    if (message.file()->package() == "google.protobuf" || !known.insert(&message).second) return;
    check_names(message);
    if (message.extension_range_count() > 0) {
        refuse_shape("message " + message.full_name(),
                     "may be extended, and no column keeps what extends it; use fields");
    }
    for (int index = 0; index < message.field_count(); ++index) {
        const FieldDescriptor& field = *message.field(index);
        if (field.type() == FieldDescriptor::TYPE_GROUP) {
            refuse_shape("field " + field.full_name(), "is a group; make it a message");
        }
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
            check_message(*field.message_type(), known);
        }
    }
}

bool initialized(const Message& row, const FieldDescriptor& field) {
    const auto& reflection = *row.GetReflection();
    if (!field.is_repeated()) return reflection.GetMessage(row, &field).IsInitialized();
    for (int index = 0; index < reflection.FieldSize(row, &field); ++index) {
        if (!reflection.GetRepeatedMessage(row, &field, index).IsInitialized()) return false;
    }
    return true;
}

}  // namespace

void check_shape(const Descriptor& row) {
    std::set<const Descriptor*> known;
    check_message(row, known);
    const auto any = [&](const auto& is) {
        for (int index = 0; index < row.field_count(); ++index) {
            if (is(*row.field(index))) return true;
        }
        return false;
    };
    const auto required = [](const FieldDescriptor& field) { return field.is_required(); };
    const auto json = [](const FieldDescriptor& field) {
        return field.is_repeated() || field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    };
    if (any(required) && any(json)) {
        refuse_shape("message " + row.full_name(),
                     "has required fields beside lists or messages, which could not be read each "
                     "by itself; make them optional");
    }
}

void refuse_field(const FieldDescriptor& field, const char* what) {
    throw InvalidArgument("field " + field.full_name() + " of a row holds " + what +
                          ", which no database keeps; let the view's evolve avoid it");
}

bool json_may_fail(const FieldDescriptor& field) {
    std::vector<const Descriptor*> within;
    return may_fail(field, within);
}

void check_field_json(const Message& row, const FieldDescriptor& field) {
    if (field.has_presence() && !row.GetReflection()->HasField(row, &field)) return;
    if (!initialized(row, field)) refuse_field(field, "a message without its required fields");
    static_cast<void>(field_json(row, field));
}

}  // namespace recount::projections
