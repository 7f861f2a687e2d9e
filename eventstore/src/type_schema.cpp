#include "type_schema.hpp"

#include <recount/core/hash.hpp>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

namespace recount {
namespace {

void add_file(const google::protobuf::FileDescriptor& file,
              google::protobuf::FileDescriptorSet& set, std::set<std::string_view>& seen) {
    if (!seen.insert(file.name()).second) return;
    for (int i = 0; i < file.dependency_count(); ++i) add_file(*file.dependency(i), set, seen);
    file.CopyTo(set.add_file());
}

}  // namespace

TypeSchema schema_in_program(std::string_view type) {
    const auto* message = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
        std::string{type});
    if (message == nullptr) return {};
    google::protobuf::FileDescriptorSet set;
    std::set<std::string_view> seen;
    add_file(*message->file(), set, seen);
    std::string bytes = set.SerializeAsString();
    const Hash fingerprint = sha256(bytes);
    return {fingerprint, std::move(bytes)};
}

}  // namespace recount
