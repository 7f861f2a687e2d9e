#include <algorithm>
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
        any = may_fail(*message.field(index), within);
    }
    within.pop_back();
    return any;
}

}  // namespace

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
    static_cast<void>(field_json(row, field));
}

}  // namespace recount::projections
