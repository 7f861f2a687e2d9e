#include <mutex>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <recount/core/error.hpp>

#include "columns.hpp"

namespace recount::projections {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

std::unique_ptr<Message> with_only(const Message& row, const FieldDescriptor& field) {
    std::unique_ptr<Message> only{row.New()};
    std::unique_ptr<Message> copy{row.New()};
    copy->CopyFrom(row);
    only->GetReflection()->SwapFields(only.get(), copy.get(), {&field});
    return only;
}

std::string in_order(const Message& message) {
    std::string bytes;
    google::protobuf::io::StringOutputStream stream{&bytes};
    google::protobuf::io::CodedOutputStream out{&stream};
    out.SetSerializationDeterministic(true);  // map entries in order of key
    message.SerializePartialToCodedStream(&out);
    out.Trim();
    return bytes;
}

std::string to_json(const Message& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    const std::unique_ptr<google::protobuf::util::TypeResolver> resolver{
        google::protobuf::util::NewTypeResolverForDescriptorPool(
            "type.googleapis.com", message.GetDescriptor()->file()->pool())};
    std::string json;
    const auto status = google::protobuf::util::BinaryToJsonString(
        resolver.get(), "type.googleapis.com/" + message.GetDescriptor()->full_name(),
        in_order(message), &json, options);
    if (!status.ok()) {
        throw InvalidArgument("a row of " + message.GetDescriptor()->full_name() +
                              " cannot be written as JSON: " + std::string{status.message()});
    }
    return json;
}

}  // namespace

std::string field_json(const Message& row, const FieldDescriptor& field) {
    if (field.is_repeated() && row.GetReflection()->FieldSize(row, &field) == 0) {
        return field.is_map() ? "{}" : "[]";
    }
    const std::string json = to_json(*with_only(row, field));
    const std::size_t begin = field.name().size() + 4;  // {"name":
    if (json.size() <= begin) refuse_field(field, "a Value of no kind");
    return json.substr(begin, json.size() - begin - 1);
}

void set_field_json(Message& row, const FieldDescriptor& field, const std::string& json,
                    Unknown unknown) {
    if (field.is_repeated() && json.size() == 2) return;  // empty
    std::unique_ptr<Message> only{row.New()};
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = unknown == Unknown::left_out;
    const auto status = google::protobuf::util::JsonStringToMessage(
        "{\"" + field.name() + "\":" + json + "}", only.get(), options);
    if (!status.ok()) {
        throw Mismatch("column " + field.name() + " of " + row.GetDescriptor()->full_name() +
                       " does not hold its JSON; rebuild the view");
    }
    row.GetReflection()->SwapFields(&row, only.get(), {&field});
}

}  // namespace recount::projections
