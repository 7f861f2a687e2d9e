#include <recount/core/snapshots.hpp>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hasher.hpp"
#include "serialise.hpp"

namespace recount::snapshot {

namespace {

constexpr char sealed = '\0';
constexpr std::size_t message_at = 1 + sizeof(Hash);

Hash hash_of(const Snapshot& snapshot, const StreamName& stream, std::string_view message) {
    Sha256& hasher = thread_hasher();
    hasher.add("recount/snapshot/1");
    for (const std::string& name : {stream.full(), snapshot.type}) {
        hasher.add_u64(name.size()).add(name);
    }
    hasher.add_u64(static_cast<std::uint64_t>(snapshot.fold))
        .add_u64(static_cast<std::uint64_t>(snapshot.version.value))
        .add_u32(static_cast<std::uint32_t>(snapshot.last.partition.value))
        .add_u64(static_cast<std::uint64_t>(snapshot.last.n))
        .add(snapshot.last_event.view())
        .add(snapshot.last_hash.view())
        .add(message);
    return hasher.finish();
}

}  // namespace

bool read(const Snapshot& from, const StreamName& stream, google::protobuf::Message& message) {
    const std::string_view bytes{from.bytes};
    if (bytes.size() < message_at || bytes.front() != sealed) return false;
    const std::string_view state = bytes.substr(message_at);
    return bytes.substr(1, sizeof(Hash)) == hash_of(from, stream, state).view() &&
           message.ParseFromArray(state.data(), static_cast<int>(state.size()));
}

void seal(Snapshot& snapshot, const StreamName& stream, const google::protobuf::Message& message) {
    const std::string state = serialise(message);
    snapshot.bytes.reserve(message_at + state.size());
    snapshot.bytes = sealed;
    snapshot.bytes.append(hash_of(snapshot, stream, state).view()).append(state);
    const std::unique_ptr<google::protobuf::Message> again{message.New()};
    if (read(snapshot, stream, *again)) return;
    throw InvalidArgument("a snapshot of stream " + stream.full() +
                          " cannot be read back, as when " +
                          "text in it is not UTF-8, or it is nested too deep; see to to_snapshot");
}

void count_ignored(Streams& streams, const StreamName& stream, const std::string& reason) {
    streams.environment()
        .metrics
        .counter("recount_snapshots_ignored_total",
                 "Snapshots that were of no use: of another fold or history, or unreadable",
                 {{"category", std::string{stream.category()}}, {"reason", reason}})
        .add();
}

void refuse_to_replace(const StreamName& stream, const Snapshot& there, std::int64_t fold,
                       Version erased) {
    const std::string why = there.fold == fold
                                ? "cannot be read, or is of another history"
                                : "was made by fold " + std::to_string(there.fold) +
                                      ", and this program's is " + std::to_string(fold);
    throw UnreadableEvent(
        "event " + std::to_string(erased.value) + " of stream " + stream.full() +
        " was erased, and the snapshot that holds what it said, up to version " +
        std::to_string(there.version.value) + ", " + why +
        "; run the program that made it, restore the snapshot from a backup, or give up what it "
        "holds by erasing the stream up to that version");
}

void count_kept(Streams& streams, const StreamName& stream, bool kept,
                std::chrono::nanoseconds took) {
    streams.environment()
        .metrics
        .histogram("recount_snapshot_duration_seconds",
                   "From a folded state to the store's answer that its snapshot is kept",
                   {{"category", std::string{stream.category()}}})
        .observe(std::chrono::duration<double>(took).count());
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
