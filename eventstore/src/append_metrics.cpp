#include "append_metrics.hpp"

#include <recount/core/error.hpp>

namespace recount {
namespace {

const char* kind_of(const std::exception& error) {
    if (dynamic_cast<const OutcomeUnknown*>(&error) != nullptr) return "outcome_unknown";
    if (dynamic_cast<const Overloaded*>(&error) != nullptr) return "overloaded";
    if (dynamic_cast<const Unavailable*>(&error) != nullptr) return "unavailable";
    return "other";
}

Counter& failures(Metrics& metrics, const char* error) {
    return metrics.counter("recount_append_failures_total", "Calls of append() that threw",
                           {{"error", error}});
}

}  // namespace

AppendMetrics::AppendMetrics(Metrics& metrics)
    : metrics_(metrics),
      duration_(metrics.histogram("recount_append_duration_seconds",
                                  "From a call of append() to its answer, all of a group")),
      conflicts_(metrics.counter("recount_append_conflicts_total",
                                 "Appends whose expectations did not hold")) {
    for (const char* error : {"outcome_unknown", "overloaded", "unavailable", "other"}) {
        failures(metrics, error);  // there from the beginning
    }
}

Counter& AppendMetrics::appended(std::string_view category) {
    const std::scoped_lock lock{mutex_};
    const auto found = appended_.find(category);
    if (found != appended_.end()) return *found->second;
    Counter& counter =
        metrics_.counter("recount_events_appended_total", "Events that were appended",
                         {{"category", std::string{category}}});
    appended_.emplace(category, &counter);
    return counter;
}

void AppendMetrics::note(std::span<const AppendResult> results, std::chrono::nanoseconds took) {
    duration_.observe(std::chrono::duration<double>(took).count());
    for (const AppendResult& result : results) {
        if (result.kind == AppendResult::Kind::conflict) conflicts_.add();
        if (result.kind != AppendResult::Kind::committed || !result.outcome) continue;
        for (const StreamAppended& stream : result.outcome->streams) {
            const std::int64_t events = stream.last.value - stream.first.value + 1;
            appended(stream.stream.category()).add(static_cast<double>(events));
        }
    }
}

void AppendMetrics::failed(const std::exception& error) {
    failures(metrics_, kind_of(error)).add();
}

}  // namespace recount
