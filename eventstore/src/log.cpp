#include <recount/eventstore/log.hpp>
#include <recount/eventstore/newest_heads.hpp>

#include <recount/core/envelope.hpp>
#include <recount/core/error.hpp>

#include <algorithm>

namespace recount {
namespace {

LogHead fork_of(const Incarnation& incarnation, Partition partition) {
    const auto index = static_cast<std::size_t>(partition.value);
    return index < incarnation.forks.size() ? incarnation.forks[index] : LogHead{};
}

[[noreturn]] void diverged(const Position& expected, const std::string& what) {
    throw Divergence("the log's chain does not hold at position " + to_string(expected) + ": " +
                     what + "; stop, keep what is there, and compare it with a backup");
}

/// The hash before the event behind the n-th: the n-th's own, or an origin where a history began.
Hash chained_from(const Position& at, const Hash& hash, const Uuid& store,
                  const std::vector<Incarnation>& incarnations) {
    // The event was written by the last history that had begun by then: later ones share it.
    const auto writer = std::find_if(incarnations.rbegin(), incarnations.rend(),
                                     [&](const Incarnation& incarnation) {
                                         return fork_of(incarnation, at.partition).n <= at.n;
                                     });
    if (writer == incarnations.rend()) return hash;
    const LogHead fork = fork_of(*writer, at.partition);
    if (fork.n != at.n) return hash;
    if (at.n > 0 && fork.hash != hash) {
        diverged(at, "its hash is " + to_string(hash) + ", but that of the event behind which " +
                         "incarnation " + to_string(writer->id) + " began is " +
                         to_string(fork.hash));
    }
    return writer->origin(store, at.partition);
}

}  // namespace

Hash Incarnation::origin(const Uuid& store, Partition partition) const {
    const LogHead fork = fork_of(*this, partition);
    return origin_hash(store, id, Position{partition, fork.n}, fork.hash);
}

bool still_holds(const StorePositions& seen, const std::vector<Incarnation>& incarnations) {
    const auto then = std::find_if(
        incarnations.begin(), incarnations.end(),
        [&](const Incarnation& incarnation) { return incarnation.id == seen.incarnation; });
    if (then == incarnations.end()) return false;
    const auto count = static_cast<std::int32_t>(seen.positions.values().size());
    return std::all_of(then + 1, incarnations.end(), [&](const Incarnation& later) {
        for (Partition partition; partition.value < count; ++partition.value) {
            if (seen.positions[partition] > fork_of(later, partition).n) return false;
        }
        return true;
    });
}

void ChainCheck::next(const RecordedEvent& event, const Uuid& store,
                      const std::vector<Incarnation>& incarnations) {
    ChainCheck behind = *this;
    behind.pass_over(event.at.position, event.envelope, event.hash, store, incarnations);
    if (!event.erased() && payload_digest(event.salt, *event.payload) != event.at.payload_digest) {
        diverged(event.at.position, "its payload is not the one whose digest is in its envelope");
    }
    *this = behind;
}

void ChainCheck::pass_over(const Position& position, std::string_view envelope, const Hash& hash,
                           const Uuid& store, const std::vector<Incarnation>& incarnations) {
    const Position expected{partition_, n_ + 1};
    if (position != expected) {
        diverged(expected, "the event there says it is " + to_string(position));
    }
    const Hash before = chained_from({partition_, n_}, hash_, store, incarnations);
    const Hash computed = chain_hash(expected, before, envelope);
    if (computed != hash) {
        diverged(expected, "its hash is " + to_string(hash) + ", but from the event before " +
                               "and its envelope follows " + to_string(computed));
    }
    n_ = expected.n;
    hash_ = computed;
}

NewestHeads newest_heads(Log& log) {
    if (auto* const tells = dynamic_cast<TellsNewestHeads*>(&log)) return tells->newest_heads();
    return {log.heads(), {}};
}

}  // namespace recount
