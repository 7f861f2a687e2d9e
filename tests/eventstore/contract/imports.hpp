#pragma once

#include "eventstore/contract/store_contract.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace recount::test {

inline ImportedEvent imported(const std::string& to, const std::string& payload) {
    return {stream(to), event(payload), {}, {}};
}

/// So many events for so many streams, in turns that are not round: "0", "1", …
inline std::vector<ImportedEvent> history(int events, int streams) {
    std::vector<ImportedEvent> history;
    for (int i = 0; i < events; ++i) {
        ImportedEvent next =
            imported("order-" + std::to_string(i * i % streams), std::to_string(i));
        next.metadata.occurred_at = Timestamp{std::chrono::seconds{1'000'000 + i}};
        next.metadata.correlation_id = "file-1";
        next.metadata.headers["line"] = std::to_string(i);
        history.push_back(std::move(next));
    }
    return history;
}

/// Gives them one after the other.
inline ImportSource source_of(const std::vector<ImportedEvent>& events) {
    return [rest = std::deque<ImportedEvent>{
                events.begin(), events.end()}]() mutable -> std::optional<ImportedEvent> {
        if (rest.empty()) return {};
        ImportedEvent next = std::move(rest.front());
        rest.pop_front();
        return next;
    };
}

inline Imported import_all(EventStore& store, const std::vector<ImportedEvent>& events,
                           ImportOptions options) {
    return import_events(store, options, source_of(events));
}

inline std::int64_t verified(EventStore& store) {
    std::int64_t events = 0;
    for (const LogHead& head : store.verify_chain()) events += head.n;
    return events;
}

}  // namespace recount::test
