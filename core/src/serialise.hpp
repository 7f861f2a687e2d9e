#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace recount {

/// The same bytes for the same message, map fields in order of key. Throws InvalidArgument.
std::string serialise(const google::protobuf::Message& message);

}  // namespace recount
