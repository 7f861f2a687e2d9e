#include "type_schema.hpp"

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "schema_changes.hpp"

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

namespace {

void compare(const google::protobuf::Descriptor& now, const StoredSchema& stored,
             const std::string& store, Use use) {
    if (!stored.descriptors) return;
    const std::string& name = now.full_name();
    google::protobuf::FileDescriptorSet set;
    google::protobuf::DescriptorPool pool;
    bool whole = set.ParseFromString(*stored.descriptors);
    for (const auto& file : set.file()) whole = whole && pool.BuildFile(file) != nullptr;
    const auto* before = whole ? pool.FindMessageTypeByName(name) : nullptr;
    const std::string revision = "revision " + std::to_string(stored.revision) + " of " + name;
    if (before == nullptr) {
        throw Mismatch(store + " holds descriptors of " + revision +
                       " that cannot be read; restore that row of its table schema");
    }
    const auto changes = incompatible_changes(*before, now, use);
    if (changes.empty()) return;
    std::string message = store + " holds events of " + revision +
                          ", which this program would misread, so nothing was " +
                          (use == Use::reading ? "read: " : "appended: ");
    for (const std::string& change : changes) message += change + "; ";
    throw Mismatch(message + "or give the changed message another name and upcast the old one");
}

}  // namespace

void check_evolution(std::string_view type, std::span<const StoredSchema> revisions,
                     const std::string& store) {
    const auto* now = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
        std::string{type});
    if (now == nullptr) return;
    for (const StoredSchema& each : revisions) compare(*now, each, store, Use::writing);
}

void check_readable(std::string_view type, const StoredSchema& revision, const std::string& store) {
    const auto* now = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
        std::string{type});
    if (now != nullptr) compare(*now, revision, store, Use::reading);
}

}  // namespace recount
