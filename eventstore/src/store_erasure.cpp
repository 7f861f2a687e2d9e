#include <recount/core/error.hpp>

#include <algorithm>
#include <limits>
#include <string>

#include "store_base.hpp"

namespace recount {
namespace {

constexpr std::int64_t erased_at_once = 500;
constexpr std::size_t most_snapshot_bytes = std::size_t{4} << 20;
constexpr Version newest{std::numeric_limits<std::int64_t>::max()};

}  // namespace

std::int64_t StoreBase::erase(const StreamName& stream, Version first, Version last) {
    check_writable();
    if (first > last) {
        throw InvalidArgument("events " + std::to_string(first.value) + " to " +
                              std::to_string(last.value) + " of stream " + stream.full() +
                              " are to be erased; name the earlier one first");
    }
    return erase_in_steps(stream, {first, last, newest});
}

std::int64_t StoreBase::truncate(const StreamName& stream, Version before, NoSnapshot none) {
    check_writable();
    const Version last{std::max<std::int64_t>(before.value, 1) - 1};
    const Version head = head_of(stream);
    if (last.value == 0 || head.value == 0) return 0;
    if (none == NoSnapshot::refused && !has_snapshot(stream, std::min(last, head))) {
        throw InvalidArgument(
            "stream " + stream.full() + " has no snapshot that reaches version " +
            std::to_string(std::min(last, head).value) +
            ", so that nothing would be left of what is truncated; keep one (see " +
            "RepositoryOptions::snapshots), or pass NoSnapshot::accepted when its State goes on " +
            "without, by evolve(State, const recount::Erased&)");
    }
    return erase_in_steps(stream, {Version{1}, last, last, false});
}

std::int64_t StoreBase::erase_in_steps(const StreamName& stream, const Erasure& what) {
    const std::int64_t end = std::min(what.last, head_of(stream)).value;
    std::int64_t erased = 0;
    for (std::int64_t from = std::max<std::int64_t>(what.first.value, 1); from <= end;
         from += erased_at_once) {
        const std::int64_t to = std::min(from + erased_at_once - 1, end);
        erased += erase_some(stream, {Version{from}, Version{to}, what.snapshots, what.forgets});
    }
    return erased;
}

Version StoreBase::head_of(const StreamName& stream) {
    return read_stream(stream, {.from = Version{1}, .max_events = 1, .max_bytes = 1}).head;
}

void StoreBase::keep_snapshot(const StreamName& stream, const Snapshot& snapshot) {
    check_writable();
    if (snapshot.bytes.size() > most_snapshot_bytes) {
        throw InvalidArgument("the snapshot of stream " + stream.full() + " has " +
                              std::to_string(snapshot.bytes.size()) + " bytes, at most " +
                              std::to_string(most_snapshot_bytes) + "; keep less in its State");
    }
    put_snapshot(stream, snapshot);
}

}  // namespace recount
