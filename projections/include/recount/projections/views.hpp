#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/eventstore/event_store.hpp>

namespace recount {

/// One generation of a view as the catalogue knows it: for tools and people.
struct ViewInfo {
    std::string view;
    int version = 0;
    std::int64_t generation = 0;
    std::string state;  // "building", "current" (readers get this one) or "retired"
    std::string place;  // the file in SQLite, the schema in PostgreSQL
    std::vector<std::string> tables;
    Positions checkpoint;
    std::int64_t parked_events = 0;
    std::string stopped;  // why its projector stopped; empty when it did not
    Timestamp created_at;
};

/// All generations of all views that stand beside the store of this URL; the current one of a view
/// first. Empty when there are none. Writes nothing. Throws InvalidArgument for `memory:`, which
/// needs the store itself.
std::vector<ViewInfo> list_views(const std::string& url);
std::vector<ViewInfo> list_views(EventStore& store);

/// Asks for a new generation of a view at its current version. The next projector of that view that
/// starts builds it beside the current one, and swaps it in when it has reached it. Returns its
/// number; one that was asked for already is returned again. Throws InvalidArgument for an unknown
/// view.
std::int64_t request_rebuild(const std::string& url, std::string_view view);
std::int64_t request_rebuild(EventStore& store, std::string_view view);

/// Deletes a generation that is not current, with its rows. Throws InvalidArgument when it is
/// current or unknown.
void drop_generation(const std::string& url, std::string_view view, std::int64_t generation);
void drop_generation(EventStore& store, std::string_view view, std::int64_t generation);

}  // namespace recount
