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

    void put(const StreamName& stream, const Snapshot& snapshot) {
        const std::lock_guard lock{mutex_};
        streams_[stream.full()].insert_or_assign(snapshot.type, snapshot);
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
