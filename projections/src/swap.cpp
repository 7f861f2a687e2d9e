#include <spdlog/spdlog.h>

#include <algorithm>

#include <recount/core/error.hpp>

#include "writer.hpp"

namespace recount::projections {

namespace {

/// Has `mine` everything that readers of the old generation may have seen there? What the old one
/// applied of a history that the store lost cannot be reached, nor asked for, any more.
bool reaches(const std::vector<Checkpoint>& mine, const std::vector<Checkpoint>& old,
             const Uuid& store, const std::vector<Incarnation>& incarnations) {
    for (std::size_t number = 0; number < old.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        if (mine[number].position >= old[number].position) continue;
        if (still_holds(seen(store, partition, old[number], old.size()), incarnations))
            return false;
    }
    return true;
}

bool at_heads(const std::vector<Checkpoint>& mine, const std::vector<LogHead>& heads) {
    return std::equal(mine.begin(), mine.end(), heads.begin(), heads.end(),
                      [](const Checkpoint& checkpoint, const LogHead& head) {
                          return checkpoint.position >= head.n;
                      });
}

bool holds(const std::vector<Checkpoint>& old, const Uuid& store,
           const std::vector<Incarnation>& incarnations) {
    for (std::size_t number = 0; number < old.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        if (!still_holds(seen(store, partition, old[number], old.size()), incarnations))
            return false;
    }
    return true;
}

}  // namespace

bool GenerationWriter::go_live(Catalogue& catalogue, const std::vector<LogHead>& heads,
                               const std::vector<Incarnation>& incarnations) {
    if (entry_.current()) return false;
    const auto current = catalogue.current(view());
    if (current && current->generation != entry_.generation) {
        if (!reached(*current, heads, incarnations, catalogue)) return false;
    } else if (!catalogue.go_live(entry_, current)) {
        return false;
    }
    entry_.state = "current";
    {
        const std::scoped_lock lock{mutex_};
        live_ = true;
    }
    if (current && current->generation != entry_.generation) {
        spdlog::info("view {}: generation {} (version {}) takes over from generation {}", view(),
                     entry_.generation, entry_.version, current->generation);
    }
    moved_->raise();
    expose(catalogue);
    return true;
}

/// Compares with the old generation while nobody can move it, flips the catalogue, and only then
/// marks the old one, so that its readers look for the new one. A crash before the mark leaves
/// readers on a generation that is true and no longer fed, until they look into the catalogue
/// again.
bool GenerationWriter::reached(const GenerationEntry& current, const std::vector<LogHead>& heads,
                               const std::vector<Incarnation>& incarnations, Catalogue& catalogue) {
    const Uuid& store = context_.log.identity().id;
    const auto old_pool =
        context_.place->generation(view(), current.generation, Place::Access::write);
    const DatabasePool::Lease lease = old_pool->take();
    const auto sql = lease->begin(SqlMode::write);
    try {
        take_generation(*sql, view());
    } catch (const Superseded&) {  // by another projector, with this generation or a later one
        const auto now = catalogue.current(view());
        return now && now->generation == entry_.generation;
    }
    const std::vector<Checkpoint> old = read_checkpoints(*sql);
    if (!reaches(checkpoints_, old, store, incarnations)) return false;
    // A generation of a lost history is no measure: the log's heads are.
    if (!holds(old, store, incarnations) && !at_heads(checkpoints_, heads)) return false;
    if (!catalogue.go_live(entry_, current)) return false;
    sql->exec("update _generation set retired = 1");
    sql->commit();
    return true;
}

void GenerationWriter::expose(Catalogue& catalogue) {
    if (context_.place->names().kind() != PlaceNames::Kind::postgresql || entry_.exposed) return;
    try {
        std::vector<std::string> names;
        {
            const DatabasePool::Lease lease = pool_->take();
            const auto sql = lease->begin(SqlMode::snapshot);
            names = tables(*sql);
        }
        catalogue.expose(view(), entry_.generation,
                         context_.place->names().generation(view(), entry_.generation), names);
        entry_.exposed = true;
    } catch (const Error& error) {
        spdlog::warn("view {}: the SQL view for foreign clients was not re-pointed: {}", view(),
                     error.what());
    }
}

}  // namespace recount::projections
