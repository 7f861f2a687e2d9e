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

std::optional<KnownState> HeadCache::guess(AppendGroup group, const Touched& touched) const {
    const std::lock_guard lock{mutex_};
    KnownState known = KnownState::for_all(touched);
    for (std::size_t i = 0; i < touched.partitions.size(); ++i) {
        const Cached& cached = partitions_[static_cast<std::size_t>(touched.partitions[i].value)];
        if (!cached.head || cached.quiet < quiet_enough) return {};
        known.heads[i] = *cached.head;
    }
    const auto count = static_cast<std::int32_t>(partitions_.size());
    for (std::size_t i = 0; i < touched.streams.size(); ++i) {
        const auto partition = partition_of(touched.streams[i], count);
        const auto& versions = partitions_[static_cast<std::size_t>(partition.value)].versions;
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

bool HeadCache::lacks(const std::vector<Partition>& partitions) const {
    const std::lock_guard lock{mutex_};
    return std::any_of(partitions.begin(), partitions.end(), [this](Partition partition) {
        return !partitions_[static_cast<std::size_t>(partition.value)].head;
    });
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
    }
    const auto count = static_cast<std::int32_t>(partitions_.size());
    for (std::size_t i = 0; i < touched.streams.size(); ++i) {
        learn(partition_of(touched.streams[i], count), touched.streams[i], known.versions[i]);
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

void HeadCache::missed(const Touched& touched) {
    const std::lock_guard lock{mutex_};
    for (const Partition partition : touched.partitions) {
        Cached& cached = of(partition);
        cached.quiet = 0;
        cached.versions.clear();
    }
}

}  // namespace recount::postgres
