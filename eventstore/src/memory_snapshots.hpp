#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <recount/core/snapshots.hpp>

#include "store_base.hpp"

namespace recount {

/// The snapshots of a store in memory, and how often the events that they are made of were erased.
/// Thread-safe.
class MemorySnapshots {
public:
    std::int64_t erasures(const StreamName& stream) {
        const std::lock_guard lock{mutex_};
        const auto found = erasures_.find(stream.full());
        return found == erasures_.end() ? 0 : found->second;
    }

    bool has(const StreamName& stream, Version at_least) {
        const std::lock_guard lock{mutex_};
        return std::ranges::any_of(streams_[stream.full()], [&](const auto& kept) {
            return kept.second.version >= at_least;
        });
    }

    std::optional<Snapshot> find(const StreamName& stream, std::string_view type) {
        const std::lock_guard lock{mutex_};
        const auto& types = streams_[stream.full()];
        const auto found = types.find(type);
        return found == types.end() ? std::nullopt : std::optional{found->second};
    }

    /// One that is of use is not replaced where it may hold what the other does not: by one that
    /// reaches less far, nor by one of another fold once an event in it was erased. `event` gives
    /// the stream's event of a version, if there is one. None is kept that holds what was erased.
    template <class Event>
    void put(const StreamName& stream, const Snapshot& snapshot, const Event& event) {
        const std::lock_guard lock{mutex_};
        const auto erasures = erasures_.find(stream.full());
        if (snapshot.erasures != (erasures == erasures_.end() ? 0 : erasures->second)) return;
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

    void erase(const StreamName& stream, const Erasure& what) {
        const std::lock_guard lock{mutex_};
        if (what.forgets) ++erasures_[stream.full()];
        std::erase_if(streams_[stream.full()], [&](const auto& kept) {
            return kept.second.version >= what.first && kept.second.version <= what.snapshots;
        });
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::map<std::string, Snapshot, std::less<>>> streams_;
    std::map<std::string, std::int64_t> erasures_;
};

}  // namespace recount
