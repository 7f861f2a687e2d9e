#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <recount/core/streams.hpp>
#include <recount/core/values.hpp>

namespace recount {

/// A folded state and how far it was folded.
template <class State>
struct Loaded {
    State state{};
    Version version;
    Position last;              // of the last event folded
    Uuid last_event;            // its id: a state whose history changed is dropped …
    Hash last_hash;             // … as its hash tells, where that is known (not zero)
    Uuid incarnation;           // the store's when it was folded
    Version snapshot;           // up to where its newest snapshot goes; 0: there is none
    Version erased;             // the last event folded without its payload; 0: there was none
    std::int64_t erasures = 0;  // of the stream when its events were read: see StreamPage
};

/// Whether an event is the last one that was folded.
template <class State>
bool ends_at(const Loaded<State>& loaded, const RecordedEvent& event) {
    return event.at.version == loaded.version && event.at.event_id == loaded.last_event &&
           (loaded.last_hash == Hash{} || loaded.last_hash == event.hash);
}

/// Whether a page begins with it.
template <class State>
bool continues(const Loaded<State>& loaded, const StreamPage& page) {
    return !page.events.empty() && ends_at(loaded, page.events.front());
}

/// Whether a state can be folded on with a page: nothing is missing between the two, nor was erased
/// since.
template <class State>
bool goes_on(const Loaded<State>& loaded, const StreamPage& page) {
    if (loaded.erasures != page.erasures) return false;
    if (loaded.version.value > 0) return continues(loaded, page);
    return page.events.empty() || page.events.front().at.version == Version{1};
}

/// The most recently used folded states, bounded in number. Only ever a head start: every append
/// still checks the version. Thread-safe.
template <class State>
class StateCache {
public:
    explicit StateCache(std::size_t capacity) : capacity_(capacity) {}

    std::optional<Loaded<State>> find(const std::string& stream) {
        std::lock_guard lock{mutex_};
        const auto found = index_.find(stream);
        if (found == index_.end()) return std::nullopt;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->second;
    }

    void put(const std::string& stream, Loaded<State> loaded) {
        if (capacity_ == 0) return;
        std::lock_guard lock{mutex_};
        if (const auto found = index_.find(stream); found != index_.end()) {
            found->second->second = std::move(loaded);
            entries_.splice(entries_.begin(), entries_, found->second);
            return;
        }
        entries_.emplace_front(stream, std::move(loaded));
        index_.emplace(stream, entries_.begin());
        if (entries_.size() > capacity_) {
            index_.erase(entries_.back().first);
            entries_.pop_back();
        }
    }

    void drop(const std::string& stream) {
        std::lock_guard lock{mutex_};
        if (const auto found = index_.find(stream); found != index_.end()) {
            entries_.erase(found->second);
            index_.erase(found);
        }
    }

private:
    using Entries = std::list<std::pair<std::string, Loaded<State>>>;

    std::size_t capacity_;
    std::mutex mutex_;
    Entries entries_;
    std::unordered_map<std::string, typename Entries::iterator> index_;
};

}  // namespace recount
