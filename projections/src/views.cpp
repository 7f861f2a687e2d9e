#include <recount/projections/views.hpp>

#include <recount/core/error.hpp>

#include "generation.hpp"
#include "parked.hpp"

namespace recount {

using projections::Catalogue;
using projections::GenerationEntry;
using projections::Place;

namespace {

constexpr Duration timeout = std::chrono::seconds{10};

std::shared_ptr<Place> place_of(const std::string& url) {
    if (url.starts_with("memory:")) {
        throw InvalidArgument(
            "views of an in-memory store live in its process; ask with the store");
    }
    return Place::at(url, {}, {}, timeout);
}

std::shared_ptr<Place> place_of(EventStore& store) {
    return Place::at(store.url(), store.identity().id, {}, timeout);
}

void look_into(Place& place, ViewInfo& info) {
    const auto pool = place.generation(info.view, info.generation, Place::Access::read);
    if (!pool) return;  // recorded in the catalogue, but not begun
    try {
        const auto lease = pool->take();
        const auto sql = lease->begin(SqlMode::snapshot);
        info.tables = projections::tables(*sql);
        info.stopped = projections::read_head(*sql).stopped;
        info.parked_events = projections::parked_events(*sql);
        const auto checkpoints = projections::read_checkpoints(*sql);
        info.checkpoint = Positions{checkpoints.size()};
        for (std::size_t number = 0; number < checkpoints.size(); ++number) {
            info.checkpoint.set(
                {Partition{static_cast<std::int32_t>(number)}, checkpoints[number].position});
        }
    } catch (const Error& error) {
        if (error.retryable()) throw;
        info.stopped = error.what();
    }
}

std::vector<ViewInfo> list_views(Place& place) {
    std::vector<GenerationEntry> entries;
    try {
        entries = Catalogue{place, Place::Access::read}.all();
    } catch (const Mismatch&) {
        return {};  // PostgreSQL's way to say that there is no such schema
    }
    std::vector<ViewInfo> all;
    for (const GenerationEntry& entry : entries) {
        ViewInfo info;
        info.view = entry.view;
        info.version = static_cast<int>(entry.version);
        info.generation = entry.generation;
        info.state = entry.state;
        info.place = place.names().generation(entry.view, entry.generation);
        info.created_at = entry.created_at;
        look_into(place, info);
        all.push_back(std::move(info));
    }
    return all;
}

std::int64_t request_rebuild(Place& place, std::string_view view) {
    const Timestamp now = Environment::system().clock.now();
    return Catalogue{place, Place::Access::write}.request_rebuild(view, now);
}

void drop_generation(Place& place, std::string_view view, std::int64_t generation) {
    Catalogue catalogue{place, Place::Access::write};
    catalogue.retire(view, generation);  // so that it does not go live without its data
    place.drop(view, generation);        // what fails from here on can be repeated
    catalogue.forget(view, generation);
}

}  // namespace

std::vector<ViewInfo> list_views(const std::string& url) { return list_views(*place_of(url)); }
std::vector<ViewInfo> list_views(EventStore& store) { return list_views(*place_of(store)); }

std::int64_t request_rebuild(const std::string& url, std::string_view view) {
    return request_rebuild(*place_of(url), view);
}
std::int64_t request_rebuild(EventStore& store, std::string_view view) {
    return request_rebuild(*place_of(store), view);
}

void drop_generation(const std::string& url, std::string_view view, std::int64_t generation) {
    drop_generation(*place_of(url), view, generation);
}
void drop_generation(EventStore& store, std::string_view view, std::int64_t generation) {
    drop_generation(*place_of(store), view, generation);
}

}  // namespace recount
