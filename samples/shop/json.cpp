#include "json.hpp"

#include <google/protobuf/message.h>

namespace shop {

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const google::protobuf::Message& message) {
    using google::protobuf::FieldDescriptor;
    const auto* descriptor = message.GetDescriptor();
    const auto* reflection = message.GetReflection();
    Json json = Json::object();
    for (int i = 0; i < descriptor->field_count(); ++i) {
        const FieldDescriptor* field = descriptor->field(i);
        if (field->is_repeated()) continue;
        switch (field->cpp_type()) {
            case FieldDescriptor::CPPTYPE_INT64:
                json[field->name()] = reflection->GetInt64(message, field);
                break;
            case FieldDescriptor::CPPTYPE_STRING:
                json[field->name()] = reflection->GetString(message, field);
                break;
            default:
                break;  // the shop's rows have no other types
        }
    }
    return json;
}

}  // namespace shop
