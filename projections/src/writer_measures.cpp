#include <algorithm>
#include <limits>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

#include "writer.hpp"

namespace recount::projections {

/// Of the generation that is read. What is not known is no number: an alarm on a lag is then one on
/// its absence, too.
void GenerationWriter::measure(const Positions* heads, const std::set<Partition>& out) {
    if (!entry_.current()) return;
    Metrics& metrics = context_.log.environment().metrics;
    const Labels labels{{"view", view()}};
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    double behind = heads == nullptr ? unknown : 0;
    const Positions mine = positions();
    for (std::size_t number = 0; heads != nullptr && number < heads->values().size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        behind +=
            static_cast<double>(std::max<std::int64_t>(0, (*heads)[partition] - mine[partition]));
    }
    metrics
        .gauge("recount_projection_behind_events",
               "Events of the log that a view has not applied yet; NaN: unknown", labels)
        .set(behind);
    metrics
        .gauge("recount_projection_lag_seconds",
               "Since when the first event that a view has not applied is in the log; NaN: unknown",
               labels)
        .set(heads == nullptr ? unknown : seconds_behind(*heads, mine, out));
    metrics.gauge("recount_projection_stopped", "1 where a view cannot go on", labels)
        .set(stopped() ? 1 : 0);
    metrics.gauge("recount_projection_parked_events", "Events that a view has set aside", labels)
        .set(static_cast<double>(parked_));
}

/// Of what is still missing the log is asked once, and not at all for a view that reads it no more:
/// the others would wait for it.
double GenerationWriter::seconds_behind(const Positions& heads, const Positions& mine,
                                        const std::set<Partition>& out) {
    double longest = 0;
    for (std::size_t number = 0; number < heads.values().size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        const std::int64_t at = mine[partition];
        if (heads[partition] <= at) continue;
        auto& missing = missing_since_[partition];
        try {
            if (missing.behind != at) missing = {at, {}};
            if (!missing.recorded_at && !stopped() && !out.contains(partition)) {
                const LogPage page = context_.log.read(partition, at, {.max_events = 1});
                if (!page.events.empty()) missing.recorded_at = page.events.front().at.recorded_at;
            }
        } catch (const Error&) {
        }
        if (!missing.recorded_at) return std::numeric_limits<double>::quiet_NaN();
        const Duration age = context_.log.environment().clock.now() - *missing.recorded_at;
        longest = std::max(longest, std::chrono::duration<double>(age).count());
    }
    return longest;
}

}  // namespace recount::projections
