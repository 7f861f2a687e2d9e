#include <algorithm>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>

#include "columns.hpp"

namespace recount::projections {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

/// `within`: the messages around the field, none of which may come again: it may be of any depth.
JsonRisk risk_within(const FieldDescriptor& field, std::vector<const Descriptor*>& within) {
    if (field.type() == FieldDescriptor::TYPE_STRING) return JsonRisk::text;
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return JsonRisk::none;
    const Descriptor& message = *field.message_type();
    const bool again = std::find(within.begin(), within.end(), &message) != within.end();
    if (again || message.file()->package() == "google.protobuf") return JsonRisk::unknown;
    within.push_back(&message);
    JsonRisk risk = JsonRisk::none;
    for (int index = 0; index < message.field_count() && risk != JsonRisk::unknown; ++index) {
        risk = std::max(risk, risk_within(*message.field(index), within));
    }
    within.pop_back();
    return risk;
}

void check_texts(const Message& message, const FieldDescriptor& field);

void check_texts(const Message& message) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) check_texts(message, *field);
}

/// JSON drops bytes that are not UTF-8.
void check_texts(const Message& message, const FieldDescriptor& field) {
    const bool is_text = field.type() == FieldDescriptor::TYPE_STRING;
    if (!is_text && field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const Reflection& reflection = *message.GetReflection();
    const auto check = [&](const std::string& text) {
        if (!valid_utf8(text)) refuse_field(field, "text that is not UTF-8");
    };
    std::string scratch;
    if (!field.is_repeated()) {
        if (is_text) {
            check(reflection.GetStringReference(message, &field, &scratch));
        } else if (reflection.HasField(message, &field)) {
            check_texts(reflection.GetMessage(message, &field));
        }
        return;
    }
    for (int index = 0; index < reflection.FieldSize(message, &field); ++index) {
        if (is_text) {
            check(reflection.GetRepeatedStringReference(message, &field, index, &scratch));
        } else {
            check_texts(reflection.GetRepeatedMessage(message, &field, index));
        }
    }
}

}  // namespace

void refuse_field(const FieldDescriptor& field, const char* what) {
    throw InvalidArgument("field " + field.full_name() + " of a row holds " + what +
                          ", which no database keeps; let the view's evolve avoid it");
}

JsonRisk json_risk(const FieldDescriptor& field) {
    std::vector<const Descriptor*> within;
    return risk_within(field, within);
}

void check_field_json(const Message& row, const FieldDescriptor& field, JsonRisk risk) {
    if (field.has_presence() && !row.GetReflection()->HasField(row, &field)) return;
    check_texts(row, field);
    if (risk == JsonRisk::unknown) static_cast<void>(field_json(row, field));
}

}  // namespace recount::projections
