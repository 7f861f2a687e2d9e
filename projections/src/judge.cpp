#include "judge.hpp"

#include <algorithm>

#include <recount/core/error.hpp>

namespace recount::projections {

namespace {

std::string_view category_of(std::string_view stream) { return stream.substr(0, stream.find('-')); }

/// Set aside because it is not of the view's category, so that nobody can say whose row it was for.
bool is_astray(const ParkedHead& head, const std::string& stream) {
    return category_of(head.stream) != category_of(stream);
}

bool concerns(const ParkedHead& head, const std::optional<std::string>& stream) {
    return !stream || head.stream == *stream || is_astray(head, *stream);
}

Positions within(const Positions& all, std::optional<Partition> only) {
    if (!only) return all;
    Positions one{all.values().size()};
    if (all[*only] > 0) one.raise({*only, all[*only]});
    return one;
}

/// Younger than those that are known: ids of incarnations are made in order of time.
bool may_come(const Uuid& incarnation, const std::vector<Incarnation>& incarnations) {
    return std::ranges::all_of(incarnations,
                               [&](const Incarnation& one) { return one.id < incarnation; });
}

void require_held(const StorePositions& seen, const StoreIdentity& store,
                  const std::vector<Incarnation>& incarnations) {
    if (still_holds(seen, incarnations)) return;
    throw Divergence("this session saw positions of a history (incarnation " +
                     to_string(seen.incarnation) + ") that " + store.name +
                     " does not hold: it was restored to an earlier state; begin a new session");
}

}  // namespace

Wanted wanted_by(const Session& session, const StoreIdentity& store,
                 const std::vector<Incarnation>& incarnations, bool copy,
                 std::optional<Partition> only, std::optional<std::string> stream) {
    Wanted wanted{Positions{static_cast<std::size_t>(store.partitions)}, only, std::move(stream)};
    for (StorePositions seen : session.token().of(store.id)) {
        seen.positions = within(seen.positions, only);
        if (seen.positions.empty()) continue;
        if (copy && may_come(seen.incarnation, incarnations)) {
            wanted.unheard.push_back(std::move(seen));
            continue;
        }
        require_held(seen, store, incarnations);
        wanted.positions.raise(seen.positions);
    }
    return wanted;
}

std::vector<Uuid> seen_in(const Wanted& wanted, const Snapshot& snapshot) {
    std::vector<Uuid> incarnations;
    for (const Checkpoint& checkpoint : snapshot.checkpoints) {
        if (incarnations.empty() || incarnations.back() != checkpoint.incarnation) {
            incarnations.push_back(checkpoint.incarnation);
        }
    }
    for (const StorePositions& seen : wanted.unheard) incarnations.push_back(seen.incarnation);
    return incarnations;
}

std::string hear(Wanted& wanted, const StoreIdentity& store,
                 const std::vector<Incarnation>& incarnations) {
    for (const StorePositions& seen : wanted.unheard) {
        if (may_come(seen.incarnation, incarnations)) {
            return "this session saw positions of a history (incarnation " +
                   to_string(seen.incarnation) + ") of which " + store.name +
                   " has not heard; its relay tells it when it works again";
        }
        require_held(seen, store, incarnations);
        wanted.positions.raise(seen.positions);
    }
    wanted.unheard.clear();
    return {};
}

std::string missing(const std::string& view, const Wanted& wanted, const Snapshot& snapshot,
                    const Uuid& store, const std::vector<Incarnation>& incarnations) {
    const auto astray = std::ranges::find_if(snapshot.parked, [&](const ParkedHead& head) {
        return wanted.stream && is_astray(head, *wanted.stream);
    });
    if (astray != snapshot.parked.end()) {
        return "view " + view + ": the event at position " + to_string(astray->position) +
               " is set aside (parked), as its stream is not of the view's category";
    }
    const std::size_t partitions = snapshot.checkpoints.size();
    for (std::size_t number = 0; number < wanted.positions.values().size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        if (wanted.only && *wanted.only != partition) continue;
        const std::int64_t asked = wanted.positions[partition];
        const std::string where = "view " + view + ", partition " + std::to_string(number) +
                                  ": wanted position " + std::to_string(asked);
        if (number >= partitions) {
            if (asked == 0) continue;
            return where + ", the view was never started";
        }
        const Checkpoint& at = snapshot.checkpoints[number];
        if (at.position < asked) return where + ", reached " + std::to_string(at.position);
        // Whatever was asked for: rows of all of them are shown.
        if (at.position > 0 && !still_holds(seen(store, partition, at, partitions), incarnations)) {
            return where + ", the view shows a history that the store lost; rebuild it";
        }
        if (asked == 0) continue;
        const auto parked = std::find_if(
            snapshot.parked.begin(), snapshot.parked.end(), [&](const ParkedHead& head) {
                return head.position.partition == partition && head.position.n <= asked &&
                       (!wanted.stream || *wanted.stream == head.stream);
            });
        if (parked != snapshot.parked.end()) {
            return where + ", but events from position " + std::to_string(parked->position.n) +
                   " on are set aside (parked) after one failed";
        }
    }
    return {};
}

std::string set_aside(const Snapshot& snapshot, const std::optional<std::string>& stream) {
    const auto parked =
        std::find_if(snapshot.parked.begin(), snapshot.parked.end(),
                     [&](const ParkedHead& head) { return concerns(head, stream); });
    if (parked == snapshot.parked.end()) return {};
    return "events from position " + to_string(parked->position) + " on, of " +
           (stream ? "this stream" : "a stream") + ", are set aside (parked) after one failed";
}

std::vector<StorePositions> shown(const Snapshot& snapshot, const Uuid& store,
                                  std::optional<Partition> only) {
    std::vector<StorePositions> all;
    for (std::size_t number = 0; number < snapshot.checkpoints.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        const Checkpoint& at = snapshot.checkpoints[number];
        if (at.position == 0 || (only && *only != partition)) continue;
        auto entry = std::find_if(all.begin(), all.end(), [&](const StorePositions& positions) {
            return positions.incarnation == at.incarnation;
        });
        if (entry == all.end()) {
            all.push_back({store, at.incarnation, Positions{snapshot.checkpoints.size()}});
            entry = all.end() - 1;
        }
        entry->positions.raise({partition, at.position});
    }
    return all;
}

}  // namespace recount::projections
