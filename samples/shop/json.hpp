#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace google::protobuf {
class Message;
}

namespace shop {

/// Keeps fields in the order they were given.
using Json = nlohmann::ordered_json;

/// One line; bytes that are no UTF-8 are replaced, not refused.
std::string dump(const Json& json);

/// The singular fields of a message by their names, whole numbers as numbers.
Json to_json(const google::protobuf::Message& message);

}  // namespace shop
