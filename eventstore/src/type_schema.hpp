#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

/// A revision under which a store holds events of a type.
struct StoredSchema {
    std::int64_t revision = 0;
    std::optional<std::string> descriptors;
};

/// Throws Mismatch that names the fields when this program would read stored events otherwise than
/// they were meant, or write such as others would misread. Each revision is compared, as events of
/// each are there: a number may have been taken away in one and given again in the next. What
/// either side does not know is not compared.
void check_evolution(std::string_view type, std::span<const StoredSchema> revisions,
                     const std::string& store);

/// The same of one revision and of reading alone: who only reads may know fewer fields and values
/// than are stored.
void check_readable(std::string_view type, const StoredSchema& revision, const std::string& store);

}  // namespace recount
