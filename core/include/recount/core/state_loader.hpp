#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/state_cache.hpp>
#include <recount/core/streams.hpp>

namespace recount {

/// Reads and folds the streams of one kind, with the help of a cache. A part of Repository.
/// Thread-safe; the store must outlive it.
template <class State>
class StateLoader {
public:
    StateLoader(Streams& streams, std::size_t cached_states, std::size_t page)
        : streams_(streams), page_(std::max<std::size_t>(page, 1)), cache_(cached_states) {}

    /// A state that may be older than the stream: an append at its version tells.
    Loaded<State> recent(const StreamName& stream) {
        auto cached = cache_.find(stream.full());
        if (cached && cached->incarnation == streams_.identity().incarnation) {
            return std::move(*cached);
        }
        return fresh(stream);
    }

    /// The state as it is now, folded from the first event.
    Loaded<State> fresh(const StreamName& stream) {
        cache_.drop(stream.full());
        Loaded<State> loaded;
        loaded.incarnation = streams_.identity().incarnation;
        StreamPage page = read(stream, 1, page_);
        fold_rest(stream, loaded, std::move(page));
        return loaded;
    }

    /// Folds what the stream holds beyond `loaded`; true when that changed anything. The last event
    /// folded is read again: when it is not the same any more, all is folded anew.
    bool refresh(const StreamName& stream, Loaded<State>& loaded) {
        const Version before = loaded.version;
        if (before.value == 0) {
            loaded = fresh(stream);
            return loaded.version != before;
        }
        return go_on(stream, loaded, read(stream, before.value, missed_events()));
    }

    /// The state after a conflict: of what the conflict brought, or read as it is now. `loaded` is
    /// what the command was decided on.
    Loaded<State> after(const StreamName& stream, Loaded<State> loaded, Conflict& conflict) {
        if (conflict.missed.size() != 1) return fresh(stream);
        go_on(stream, loaded, std::move(conflict.missed.front()));
        return loaded;
    }

    /// How many events a page holds that begins with the last one known.
    [[nodiscard]] std::size_t missed_events() const { return page_ + 1; }

    /// Notes where a state stands to which `events` of an append were folded. Its last hash is not
    /// known then: the store does not say it.
    static void follow(Loaded<State>& loaded, const CommandOutcome& outcome, std::size_t events) {
        if (outcome.streams.empty() || events == 0) return;
        const StreamAppended& written = outcome.streams.front();
        loaded.version = written.last;
        loaded.last = written.first_position;
        loaded.last.n += written.last.value - written.first.value;
        loaded.last_event = event_id(outcome.command_id, static_cast<std::uint32_t>(events - 1));
        loaded.last_hash = Hash{};
    }

    /// What a reader of this state has seen of the store.
    StorePositions seen(const Loaded<State>& loaded) const {
        const StoreIdentity& identity = streams_.identity();
        StorePositions positions{identity.id, loaded.incarnation,
                                 Positions{static_cast<std::size_t>(identity.partitions)}};
        if (loaded.last.n > 0) positions.positions.raise(loaded.last);
        return positions;
    }

    void keep(const StreamName& stream, Loaded<State> loaded) {
        cache_.put(stream.full(), std::move(loaded));
    }
    void drop(const StreamName& stream) { cache_.drop(stream.full()); }

private:
    StreamPage read(const StreamName& stream, std::int64_t from, std::size_t events) {
        return streams_.read_stream(stream, {.from = Version{from}, .max_events = events});
    }

    /// `page` begins with the last event folded: when it is not the same any more, all is folded
    /// anew. True when that changed anything.
    bool go_on(const StreamName& stream, Loaded<State>& loaded, StreamPage page) {
        const Version before = loaded.version;
        if (before.value > 0 && !continues(loaded, page)) {
            loaded = fresh(stream);
            return true;
        }
        fold_rest(stream, loaded, std::move(page));
        return loaded.version != before;
    }

    void fold_rest(const StreamName& stream, Loaded<State>& loaded, StreamPage page) {
        const Version before = loaded.version;
        for (;;) {
            for (const RecordedEvent& event : page.events) {
                if (event.at.version > loaded.version) fold_in(loaded, event);
            }
            if (page.end || page.events.empty()) break;
            page = read(stream, loaded.version.value + 1, page_);
        }
        if (loaded.version != before) cache_.put(stream.full(), loaded);
    }

    static void fold_in(Loaded<State>& loaded, const RecordedEvent& event) {
        loaded.state = fold(std::move(loaded.state), event);
        loaded.version = event.at.version;
        loaded.last = event.at.position;
        loaded.last_event = event.at.event_id;
        loaded.last_hash = event.hash;
    }

    static bool continues(const Loaded<State>& loaded, const StreamPage& page) {
        if (page.events.empty()) return false;
        const RecordedEvent& last = page.events.front();
        return last.at.version == loaded.version && last.at.event_id == loaded.last_event &&
               (loaded.last_hash == Hash{} || loaded.last_hash == last.hash);
    }

    Streams& streams_;
    std::size_t page_;
    StateCache<State> cache_;
};

}  // namespace recount
