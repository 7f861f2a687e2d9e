#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <recount/core/values.hpp>

namespace recount {

/// How this program understands a type of event: the file that declares it and all that it imports,
/// as bytes of a FileDescriptorSet in the order of dependency, and their SHA-256. A type that is
/// not linked into the program has neither, and a fingerprint of zeros.
struct TypeSchema {
    Hash fingerprint;
    std::optional<std::string> descriptors;
};

TypeSchema schema_in_program(std::string_view type);

}  // namespace recount
