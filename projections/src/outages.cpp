#include "outages.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace recount::projections {

namespace {

constexpr int times_as_long = 4;  // a partition that fails costs the others a fifth of their time

}  // namespace

std::string Outages::name(Partition partition) const {
    return "partition " + std::to_string(partition.value) + " of the log " + log_.identity().name;
}

bool Outages::due(Partition partition) const {
    const auto found = failed_.find(partition);
    return found == failed_.end() || found->second.due();
}

void Outages::failed(Partition partition, Duration after, const std::string& why) {
    const auto [at, first] = failed_.try_emplace(partition, Backoff{log_.environment(), options_});
    at->second.failed(after * times_as_long);
    if (first) spdlog::warn("{} cannot be read, others go on: {}", name(partition), why);
}

void Outages::worked(Partition partition) {
    if (failed_.erase(partition) > 0) spdlog::info("{} is read again", name(partition));
}

std::optional<Duration> Outages::left() const {
    std::optional<Duration> least;
    for (const auto& [partition, backoff] : failed_) {
        const Duration left = backoff.left().value_or(Duration::zero());
        least = std::min(least.value_or(left), left);
    }
    return least;
}

void Outages::missing(const Position& last, std::int64_t head) {
    const std::chrono::nanoseconds now = log_.environment().clock.steady();
    Missing& missing = missing_.try_emplace(last.partition, Missing{now, last.n}).first->second;
    if (missing.last != last.n) missing = {now, last.n};
    if (missing.told) return;
    if (std::chrono::floor<Duration>(now - missing.since) <= options_.patience) return;
    missing.told = true;
    spdlog::warn(
        "{} gives nothing behind {}, though its head is {}: see whether what feeds it runs; others "
        "go on",
        name(last.partition), last.n, head);
}

}  // namespace recount::projections
