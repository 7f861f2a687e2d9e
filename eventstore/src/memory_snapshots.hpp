#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <recount/core/snapshots.hpp>

namespace recount {

/// The snapshots of a store in memory. Thread-safe.
class MemorySnapshots {
public:
    std::optional<Snapshot> find(const StreamName& stream, std::string_view type) {
        const std::lock_guard lock{mutex_};
        const auto& types = streams_[stream.full()];
        const auto found = types.find(type);
        return found == types.end() ? std::nullopt : std::optional{found->second};
    }

    /// One that reaches less far replaces another only where that is of no use, as `holds`, asked
    /// of that one, says: it may hold what was truncated since.
    template <class Holds>
    void put(const StreamName& stream, const Snapshot& snapshot, const Holds& holds) {
        const std::lock_guard lock{mutex_};
        const auto [kept, added] = streams_[stream.full()].try_emplace(snapshot.type, snapshot);
        if (added) return;
        Snapshot& other = kept->second;
        if (other.fold == snapshot.fold && other.version > snapshot.version && holds(other)) return;
        other = snapshot;
    }

    void drop(const StreamName& stream, Version first, Version last) {
        const std::lock_guard lock{mutex_};
        std::erase_if(streams_[stream.full()], [&](const auto& kept) {
            return kept.second.version >= first && kept.second.version <= last;
        });
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::map<std::string, Snapshot, std::less<>>> streams_;
};

}  // namespace recount
