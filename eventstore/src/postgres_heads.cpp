#include "postgres_heads.hpp"

#include <algorithm>

namespace recount::postgres {

namespace {

/// An append that expects an exact version says itself what the stream should be at; the statement
/// compares it all the same.
std::optional<Version> expected_version(AppendGroup group, std::string_view stream) {
    const auto exact = [](const Expected& expected) -> std::optional<Version> {
        if (expected.kind() == Expected::Kind::no_stream) return Version{0};
        if (expected.kind() == Expected::Kind::exactly) return expected.version();
        return {};
    };
    for (const Append* append : group) {
        for (const StreamWrite& write : append->writes) {
            if (write.stream.full() == stream) return exact(write.expected);
        }
        for (const StreamCheck& check : append->checks) {
            // A stream that is only checked is not compared by the statement that writes.
            if (check.stream.full() == stream) return {};
        }
    }
    return {};
}

}  // namespace

bool places_one(const Append& append) {
    if (append.writes.size() != 1 || !append.checks.empty() || !append.follows.empty())
        return false;
    const StreamWrite& write = append.writes.front();
    const bool says_version = write.expected.kind() == Expected::Kind::no_stream ||
                              write.expected.kind() == Expected::Kind::exactly;
    return says_version && write.events.size() == 1 &&
           write.events.front().type != stream_closed_type;
}

std::optional<KnownState> HeadCache::guess(AppendGroup group, const Touched& touched) const {
    const std::lock_guard lock{mutex_};
    KnownState known = KnownState::for_all(touched);
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        const Cached& cached = at(touched.partitions[i]);
        if (!cached.head || cached.quiet < quiet_enough) return {};
        known.heads[i] = *cached.head;
    }
    const auto count = static_cast<std::int32_t>(partitions_.size());
    for (std::size_t i = 0; i < touched.streams.size(); ++i) {
        const auto partition = partition_of(touched.streams[i], count);
        const auto& versions = at(partition).versions;
        if (const auto found = versions.find(std::string{touched.streams[i]});
            found != versions.end()) {
            known.versions[i] = found->second;
        } else if (const auto expected = expected_version(group, touched.streams[i])) {
            known.versions[i] = *expected;
        } else {
            return {};
        }
    }
    return known;
}

std::optional<KnownState> HeadCache::behind_others(AppendGroup group,
                                                   const Touched& touched) const {
    if (group.size() != 1 || !places_one(*group.front())) return {};
    const std::lock_guard lock{mutex_};
    const Cached& cached = at(touched.partitions.front());
    if (!cached.shared(touched.streams.front())) return {};
    KnownState known = KnownState::for_all(touched);
    known.heads.front() = *cached.head;
    known.versions.front() = *expected_version(group, touched.streams.front());
    return known;
}

bool HeadCache::shared(Partition partition, std::string_view stream) const {
    const std::lock_guard lock{mutex_};
    return at(partition).shared(stream);
}

bool HeadCache::lacks(const std::vector<Partition>& partitions) const {
    const std::lock_guard lock{mutex_};
    return std::any_of(partitions.begin(), partitions.end(),
                       [this](Partition partition) { return !at(partition).head; });
}

void HeadCache::seen(const std::vector<Partition>& partitions, const std::vector<LogHead>& heads) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        // What is there already may be newer.
        if (Cached& cached = of(partitions[i]); !cached.head) cached.head = heads[i];
    }
}

void HeadCache::learn(Partition partition, std::string_view stream, Version version) {
    auto& versions = of(partition).versions;
    if (versions.size() >= max_versions) versions.clear();
    versions.insert_or_assign(std::string{stream}, version);
}

bool HeadCache::may_be(const Touched& touched, const KnownState& known) const {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        const auto& seen = at(touched.partitions[i]).head;
        const LogHead& now = known.heads[i];
        if (seen && (now.n < seen->n || (now.n == seen->n && now.hash != seen->hash))) {
            return false;
        }
    }
    return true;
}

void HeadCache::read(const Touched& touched, const KnownState& known, const std::string& store) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        const Cached& cached = of(touched.partitions[i]);
        if (cached.head) {
            require_no_step_back(store, touched.partitions[i], *cached.head, known.heads[i]);
        }
    }
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        Cached& cached = of(touched.partitions[i]);
        if (!cached.head || *cached.head == known.heads[i]) {
            cached.quiet = std::min(cached.quiet + 1, quiet_enough);
        } else {
            cached.quiet = 0;
            // What others wrote may have moved any stream of the partition.
            cached.versions.clear();
        }
        cached.head = known.heads[i];
        cached.locking = std::max(cached.locking - 1, 0);
    }
    const auto count = static_cast<std::int32_t>(partitions_.size());
    for (std::size_t i = 0; i < touched.streams.size(); ++i) {
        const Partition partition = partition_of(touched.streams[i], count);
        learn(partition, touched.streams[i], known.versions[i]);
        auto& moved = of(partition).moved;
        const auto found = moved.find(std::string{touched.streams[i]});
        if (found != moved.end() && --found->second == 0) moved.erase(found);
    }
}

void HeadCache::wrote(const AppendPlan& plan) {
    const std::lock_guard lock{mutex_};
    const auto count = static_cast<std::int32_t>(partitions_.size());
    std::vector<bool> moved(partitions_.size(), false);
    for (const PlannedHead& grown : plan.heads) {
        Cached& cached = of(grown.partition);
        // Otherwise somebody has gone on from there, and what was planned says nothing about now:
        // versions must be those at the head, as a check is compared by the head alone.
        if (cached.head != grown.before) continue;
        cached.head = grown.head;
        moved[static_cast<std::size_t>(grown.partition.value)] = true;
    }
    for (const PlannedVersion& grown : plan.versions) {
        const Partition partition = partition_of(grown.stream, count);
        if (moved[static_cast<std::size_t>(partition.value)]) {
            learn(partition, grown.stream, grown.version);
        }
    }
}

void HeadCache::placed(const PlannedVersion& grown, Partition partition, const LogHead& head) {
    const std::lock_guard lock{mutex_};
    Cached& cached = of(partition);
    if (cached.head && cached.head->n >= head.n) return;  // somebody has gone on from there
    if (cached.head && cached.head->n + 1 == head.n) {
        cached.quiet = std::min(cached.quiet + 1, quiet_enough);
    } else {
        cached.quiet = 0;
        cached.versions.clear();
    }
    cached.head = head;
    learn(partition, grown.stream, grown.version);
}

void HeadCache::not_placed(Partition partition) {
    const std::lock_guard lock{mutex_};
    of(partition).locking = locked_turns;
}

void HeadCache::not_placed(Partition partition, std::string_view stream) {
    const std::lock_guard lock{mutex_};
    auto& moved = of(partition).moved;
    if (moved.size() >= max_versions) moved.clear();
    moved.insert_or_assign(std::string{stream}, locked_turns);
}

void HeadCache::missed(const Touched& touched) {
    const std::lock_guard lock{mutex_};
    for (const Partition partition : touched.partitions) {
        Cached& cached = of(partition);
        cached.quiet = 0;
        cached.versions.clear();
    }
}

}  // namespace recount::postgres
