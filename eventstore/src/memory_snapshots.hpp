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

    /// One that is of use is not replaced where it may hold what the other does not: by one that
    /// reaches less far, nor by one of another fold once an event in it was erased. `event` gives
    /// the stream's event of a version, if there is one.
    template <class Event>
    void put(const StreamName& stream, const Snapshot& snapshot, const Event& event) {
        const std::lock_guard lock{mutex_};
        const auto [kept, added] = streams_[stream.full()].try_emplace(snapshot.type, snapshot);
        if (added) return;
        Snapshot& other = kept->second;
        const auto last = event(other.version);
        const bool of_use = last && last->hash == other.last_hash;
        const auto erased = [&] {
            for (Version at{1}; at <= other.version; ++at.value) {
                if (event(at)->erased()) return true;
            }
            return false;
        };
        if (of_use && (other.fold == snapshot.fold ? other.version > snapshot.version : erased())) {
            return;
        }
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
