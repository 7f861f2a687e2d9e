#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Descriptor;
}

namespace recount {

/// What a program does with a type that it knows otherwise than it is stored. Who writes must also
/// know of all numbers that were given away, so that none is given again.
enum class Use { reading, writing };

/// What in `now` would make bytes written as `before` mean something else: a number that was given
/// to another field, a type or label that changed, a field or enum value taken away without
/// `reserved`, an enum value that moved. Looks through all messages that the type reaches. Each
/// line names the field by its full name and says what to do. Empty: every stored event still reads
/// as it was meant.
///
/// Allowed: new fields, renamed fields of the same number and type, wider integers (int32 → int64,
/// uint32 → uint64), new enum values, fields that were removed and whose numbers are reserved.
std::vector<std::string> incompatible_changes(const google::protobuf::Descriptor& before,
                                              const google::protobuf::Descriptor& now,
                                              Use use = Use::writing);

}  // namespace recount
