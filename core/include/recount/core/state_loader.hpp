#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/fold.hpp>
#include <recount/core/ids.hpp>
#include <recount/core/readable_types.hpp>
#include <recount/core/snapshots.hpp>
#include <recount/core/state_cache.hpp>

namespace recount {

/// Reads and folds the streams of one kind, with the help of a cache. A part of Repository.
/// Thread-safe; the store must outlive it.
template <class State>
class StateLoader {
public:
    /// `snapshots`: one every so many events; 0 for none.
    StateLoader(Streams& streams, std::size_t cached_states, std::size_t page,
                std::int64_t snapshots)
        : streams_(streams),
          page_(std::max<std::size_t>(page, 1)),
          snapshots_(snapshots),
          kept_(snapshot::store_in(streams, snapshots > 0, Snapshots<State>, State::category)),
          cache_(cached_states) {}

    /// A state that may be older than the stream: an append at its version tells.
    Loaded<State> recent(const StreamName& stream) {
        if (auto cached = find(stream)) return *std::move(cached);
        return fresh(stream);
    }

    /// The state as it is now: one read of the store, of what the cache lacks.
    Loaded<State> current(const StreamName& stream) {
        auto cached = find(stream);
        if (!cached) return fresh(stream);
        refresh(stream, *cached);
        return *std::move(cached);
    }

    /// The same past the cache, folded from the stream's snapshot or its first event.
    Loaded<State> fresh(const StreamName& stream) {
        readable_.require(streams_);
        cache_.drop(stream.full());
        if constexpr (Snapshots<State>) {
            if (kept_ != nullptr) return from_snapshot_on(stream);
        }
        Loaded<State> loaded = none();
        fold_on(stream, loaded, {});
        note(stream, loaded, {});
        return loaded;
    }

    /// Folds what the stream holds beyond `loaded`; true when that changed anything. The last event
    /// folded is read again: when it is not the same any more, or something was erased meanwhile,
    /// all is folded anew.
    bool refresh(const StreamName& stream, Loaded<State>& loaded) {
        const Version before = loaded.version;
        bool same = false;
        if (before.value > 0) {
            const auto go_on = [&](const RecordedEvent& event) {
                if (!same) return same = ends_at(loaded, event);
                return same = !is_only_in_a_snapshot(event) && fold_in(loaded, event);
            };
            same = visit(stream, before.value, go_on) == loaded.erasures && same;
        }
        if (!same) {
            loaded = fresh(stream);
            return before.value > 0 || loaded.version.value > 0;
        }
        note(stream, loaded, before);
        return loaded.version != before;
    }

    /// The state as it was at a time (ReadStream::until), folded from the first event, past the
    /// cache and snapshots: both may be newer.
    Loaded<State> as_of(const StreamName& stream, Timestamp when) {
        readable_.require(streams_);
        Loaded<State> loaded = none();
        visit(stream, 1, [&](const RecordedEvent& event) {
            return event.at.recorded_at <= when && fold_in(loaded, event);
        });
        return loaded;
    }

    /// The state after a conflict: of what the conflict brought, or read as it is now. `loaded` is
    /// what the command was decided on.
    Loaded<State> after(const StreamName& stream, Loaded<State> loaded, Conflict& conflict) {
        if (conflict.missed.size() != 1) return fresh(stream);
        go_on(stream, loaded, std::move(conflict.missed.front()));
        return loaded;
    }

    /// The same by nothing but what the conflict brought; false when that is not enough.
    static bool catch_up(Loaded<State>& loaded, const Conflict& conflict) {
        if (conflict.missed.size() != 1 || !conflict.missed.front().end) return false;
        const StreamPage& page = conflict.missed.front();
        const auto erased = [](const RecordedEvent& event) { return event.erased(); };
        if (!goes_on(loaded, page) || std::ranges::any_of(page.events, erased)) return false;
        for (const RecordedEvent& event : page.events) {
            if (event.at.version > loaded.version) fold_in(loaded, event);
        }
        return true;
    }

    /// How many events a page holds that begins with the last one known.
    [[nodiscard]] std::size_t missed_events() const { return page_ + 1; }

    /// Notes where a state stands to which an append's events were folded. Its last hash is not
    /// known then: the store does not say it.
    static void follow(Loaded<State>& loaded, const CommandOutcome& outcome) {
        if (outcome.streams.empty()) return;
        const StreamAppended& written = outcome.streams.front();
        const std::int64_t events = written.last.value - written.first.value + 1;
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
    /// Keeps a snapshot when it is time for one; `loaded` then knows of it.
    void snapshot_when_due(const StreamName& stream, Loaded<State>& loaded) {
        if constexpr (Snapshots<State>) {
            if (kept_ == nullptr || loaded.version.value - loaded.snapshot.value < snapshots_) {
                return;
            }
            if (loaded.last_hash == Hash{} && !learn_hash(stream, loaded)) return;
            keep_snapshot(stream, loaded);
        }
    }
    void drop(const StreamName& stream) { cache_.drop(stream.full()); }

private:
    std::optional<Loaded<State>> find(const StreamName& stream) {
        auto cached = cache_.find(stream.full());
        if (cached && cached->incarnation != streams_.identity().incarnation) cached.reset();
        return cached;
    }

    /// The state before the first event.
    Loaded<State> none() const {
        Loaded<State> loaded;
        loaded.incarnation = streams_.identity().incarnation;
        return loaded;
    }

    /// Others may keep a snapshot, and then erase what it holds, while this folds: only that
    /// snapshot leads on then.
    Loaded<State> from_snapshot_on(const StreamName& stream) requires Snapshots<State> {
        const auto read = [&] {
            return kept_->read_snapshot(stream, snapshot_type<State>(), State::fold,
                                        {.max_events = missed_events()});
        };
        for (SnapshotPage found = read();;) {
            const Version there = found.snapshot ? found.snapshot->version : Version{};
            auto loaded = found.snapshot ? state_of<State>(streams_, stream, *found.snapshot)
                                         : std::optional{none()};
            const bool usable = loaded && (!found.snapshot || continues(*loaded, found.page));
            if (loaded && !usable) snapshot::count_ignored(streams_, stream, "history");
            if (!usable) loaded = none();
            const bool fits = usable || found.snapshot->fold != State::fold;  // from version 1 then
            fold_on(stream, *loaded, fits ? found.page : StreamPage{});
            SnapshotPage now;
            if (loaded->erased > (usable ? there : Version{})) now = read();
            if (now.snapshot && now.snapshot->version > there) {
                found = std::move(now);
                continue;
            }
            if (!usable && loaded->erased.value > 0 && loaded->erased <= there) {
                snapshot::refuse_to_replace(stream, *found.snapshot, State::fold, loaded->erased);
            }
            note(stream, *loaded, usable ? there : Version{});
            if (!usable && loaded->version.value > 0 && loaded->snapshot != loaded->version) {
                keep_snapshot(stream, *loaded);
                cache_.put(stream.full(), *loaded);
            }
            return *std::move(loaded);
        }
    }

    /// Whatever happens: the command has succeeded, and whoever loads the stream can do without.
    void keep_snapshot(const StreamName& stream, Loaded<State>& loaded) requires Snapshots<State> {
        loaded.snapshot = loaded.version;
        bool kept = true;
        Clock& clock = streams_.environment().clock;
        const std::chrono::nanoseconds began = clock.steady();
        try {
            kept_->keep_snapshot(stream, snapshot_of(stream, loaded));
        } catch (const std::exception&) {
            kept = false;
        }
        snapshot::count_kept(streams_, stream, kept, clock.steady() - began);
    }

    /// Of an event that this process appended only the id is known.
    bool learn_hash(const StreamName& stream, Loaded<State>& loaded) {
        try {
            const StreamPage page =
                streams_.read_stream(stream, {.from = loaded.version, .max_events = 1});
            if (!continues(loaded, page)) return false;
            loaded.last_hash = page.events.front().hash;
            return true;
        } catch (const Error&) {
            return false;  // the command has succeeded, whatever becomes of its snapshot
        }
    }

    std::int64_t visit(const StreamName& stream, std::int64_t from, const TakeEvent& take) {
        return streams_.visit_stream(stream, Version{from}, page_, take);
    }

    /// `page` begins with the last event folded: when it is not the same any more, or something was
    /// erased meanwhile, all is folded anew.
    void go_on(const StreamName& stream, Loaded<State>& loaded, const StreamPage& page) {
        const Version before = loaded.version;
        if (goes_on(loaded, page) && fold_on(stream, loaded, page, false)) {
            note(stream, loaded, before);
        } else {
            loaded = fresh(stream);
        }
    }

    /// What an erased event said may have been kept in a snapshot, as when the stream was
    /// truncated: then a state from before it does not lead there.
    [[nodiscard]] bool is_only_in_a_snapshot(const RecordedEvent& event) const {
        return kept_ != nullptr && event.erased();
    }

    /// Folds what `page` holds beyond `loaded`, and what the stream holds beyond the page; nothing
    /// is kept of it. False, half done, at what is only in a snapshot, unless that is to be passed
    /// over.
    bool fold_on(const StreamName& stream, Loaded<State>& loaded, const StreamPage& page,
                 bool pass_over = true) {
        bool all = true;
        const auto fold_next = [&](const RecordedEvent& event) {
            if (event.at.version <= loaded.version) return true;
            return all = (pass_over || !is_only_in_a_snapshot(event)) && fold_in(loaded, event);
        };
        if (!std::ranges::all_of(page.events, fold_next)) return false;
        const bool known = page.end || !page.events.empty();
        if (known) loaded.erasures = page.erasures;  // as of before the first of its events
        if (page.end) return all;
        const auto erasures = visit(stream, loaded.version.value + 1, fold_next);
        if (!known) loaded.erasures = erasures;
        return all;
    }

    /// The state has grown from a version on.
    void note(const StreamName& stream, Loaded<State>& loaded, Version before) {
        if (loaded.version == before) return;
        snapshot_when_due(stream, loaded);
        cache_.put(stream.full(), loaded);
    }

    /// Always true: the next one is wanted.
    static bool fold_in(Loaded<State>& loaded, const RecordedEvent& event) {
        loaded.state = fold(std::move(loaded.state), event);
        loaded.version = event.at.version;
        loaded.last = event.at.position;
        loaded.last_event = event.at.event_id;
        loaded.last_hash = event.hash;
        if (event.erased()) loaded.erased = event.at.version;
        return true;
    }

    Streams& streams_;
    ReadableTypes<State, typename check::EventsOf<State>::type> readable_;
    std::size_t page_;
    std::int64_t snapshots_;
    SnapshotStore* kept_;
    StateCache<State> cache_;
};

}  // namespace recount
