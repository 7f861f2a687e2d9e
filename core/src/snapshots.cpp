#include <recount/core/snapshots.hpp>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include "serialise.hpp"

namespace recount::snapshot {

std::string bytes_of(const google::protobuf::Message& message) { return serialise(message); }

bool read(const Snapshot& from, google::protobuf::Message& message) {
    return message.ParseFromString(from.bytes);
}

void count_ignored(Streams& streams, const StreamName& stream, const std::string& reason) {
    streams.environment()
        .metrics
        .counter("recount_snapshots_ignored_total",
                 "Snapshots that were of no use: of another fold or history, or unreadable",
                 {{"category", std::string{stream.category()}}, {"reason", reason}})
        .add();
}

void count_kept(Streams& streams, const StreamName& stream, bool kept) {
    streams.environment()
        .metrics
        .counter(
            "recount_snapshots_kept_total", "Snapshots handed to the store",
            {{"category", std::string{stream.category()}}, {"result", kept ? "kept" : "failed"}})
        .add();
}

SnapshotStore* store_in(Streams& streams, bool asked, bool there, std::string_view category) {
    if (!asked) return nullptr;
    if (!there) {
        throw InvalidArgument("snapshots are asked for of the states of category " +
                              std::string{category} +
                              ", whose State has no to_snapshot, from_snapshot and fold; give it "
                              "these, or leave the option out");
    }
    auto* const store = dynamic_cast<SnapshotStore*>(&streams);
    if (store == nullptr) {
        throw InvalidArgument("snapshots are asked for of " + streams.identity().name +
                              ", which keeps none; leave the option out");
    }
    return store;
}

}  // namespace recount::snapshot
