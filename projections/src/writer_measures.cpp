#include <algorithm>
#include <limits>

#include <recount/core/metrics.hpp>

#include "writer.hpp"

namespace recount::projections {

/// Of the generation that is read. What is not known is no number: an alarm on a lag is then one on
/// its absence, too.
void GenerationWriter::measure(const Positions* heads) {
    if (!entry_.current()) return;
    Metrics& metrics = context_.log.environment().metrics;
    const Labels labels{{"view", view()}};
    double behind = heads == nullptr ? std::numeric_limits<double>::quiet_NaN() : 0;
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
    metrics.gauge("recount_projection_stopped", "1 where a view cannot go on", labels)
        .set(stopped() ? 1 : 0);
    metrics.gauge("recount_projection_parked_events", "Events that a view has set aside", labels)
        .set(static_cast<double>(parked_));
}

}  // namespace recount::projections
