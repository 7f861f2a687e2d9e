#include "catalogue.hpp"

#include <algorithm>
#include <type_traits>

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount_sql/recount_projections.hpp>

#include "columns.hpp"

namespace recount::projections {

std::vector<std::string> tables(Sql& sql) {
    const SqlResult found =
        sql.dialect() == SqlDialect::sqlite
            ? sql.query(
                  "select name from sqlite_master where type = 'table' "
                  "and name not like 'sqlite_%' order by name")
            : sql.query(
                  "select tablename::text from pg_tables where schemaname = current_schema() "
                  "order by tablename");
    std::vector<std::string> names;
    for (std::size_t row = 0; row < found.size(); ++row) names.push_back(found.text(row, 0));
    return names;
}

void lock_structure(Sql& sql) {
    if (sql.dialect() == SqlDialect::postgresql) {
        sql.query("select count(*) from pg_advisory_xact_lock(7204918, 1)");
    }
}

std::string fingerprint(const ViewDefinition& definition) {
    std::string text = definition.keyed() ? "keyed\n" : "sql\n";
    if (definition.keyed()) text += RowColumns{*definition.row->GetDescriptor()}.describe();
    if (definition.category) text += "category " + *definition.category + "\n";
    if (definition.keyed_by_stream) text += "by stream\n";
    std::vector<std::string> types;
    for (const EventHook& hook : definition.events) types.push_back(hook.type);
    std::sort(types.begin(), types.end());
    for (const std::string& type : types) text += "event " + type + "\n";
    return to_string(sha256(text)).substr(0, 32);
}

Catalogue::Catalogue(Place& place, Place::Access access) : pool_(place.catalogue(access)) {
    if (access == Place::Access::write) create();
}

template <class Change>
auto Catalogue::alone(const Change& change) {
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::write);
    lock_structure(*sql);
    if constexpr (std::is_void_v<decltype(change(*sql, lease->name()))>) {
        change(*sql, lease->name());
        sql->commit();
    } else {
        auto result = change(*sql, lease->name());
        sql->commit();
        return result;
    }
}

void Catalogue::create() {
    alone([&](Sql& sql, const std::string& place) {
        sql.script(sql::catalogue);
        sql.exec("insert into catalogue (format) values ($1) on conflict do nothing", format);
        const SqlResult newest = sql.query("select max(format) from catalogue");
        if (newest.integer(0, 0) > format) {
            throw Mismatch("the views in " + place + " were written by a newer recount (format " +
                           std::to_string(newest.integer(0, 0)) + ", this program knows " +
                           std::to_string(format) + "); use that program");
        }
    });
}

namespace {

constexpr std::string_view select_entries =
    "select view, generation, version, state, fingerprint, created_at, exposed from generation "
    "where state <> 'dropped'";

std::vector<GenerationEntry> entries(const SqlResult& found) {
    std::vector<GenerationEntry> all;
    for (std::size_t row = 0; row < found.size(); ++row) {
        all.push_back({found.text(row, 0), found.integer(row, 1), found.integer(row, 2),
                       found.text(row, 3), found.text(row, 4),
                       Timestamp{std::chrono::microseconds{found.integer(row, 5)}},
                       found.integer(row, 6) != 0});
    }
    return all;
}

std::vector<GenerationEntry> entries_of(Sql& sql, std::string_view view) {
    return entries(
        sql.query(std::string{select_entries} + " and view = $1 order by generation desc", view));
}

/// Numbers are not given twice: a program that still builds a generation that was dropped must not
/// meet another one under its name.
std::int64_t next_number(Sql& sql, std::string_view view) {
    return sql
        .query("select coalesce(max(generation), 0) + 1 from generation where view = $1", view)
        .integer(0, 0);
}

Superseded not_wanted(std::string_view view, std::int64_t generation) {
    return Superseded("generation " + std::to_string(generation) + " of view " + std::string{view} +
                      " was dropped or retired while it was built; what is read stays; restart the "
                      "projector to have another one built");
}

void require_no_newer(const GenerationEntry* current, std::int64_t version) {
    if (current == nullptr || current->version <= version) return;
    throw Superseded("view " + current->view + " is at version " +
                     std::to_string(current->version) + ", this program's is " +
                     std::to_string(version) +
                     "; run the newer program, or give the older code a version above it");
}

const GenerationEntry* find_current(const std::vector<GenerationEntry>& known) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [](const GenerationEntry& entry) { return entry.current(); });
    return found == known.end() ? nullptr : &*found;
}

void set_state(Sql& sql, const GenerationEntry& entry, std::string_view state) {
    sql.exec("update generation set state = $3 where view = $1 and generation = $2", entry.view,
             entry.generation, state);
}

}  // namespace

std::vector<GenerationEntry> Catalogue::all() {
    if (!pool_) return {};
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::snapshot);
    return entries(sql->query(std::string{select_entries} +
                              " order by view, state = 'current' desc, generation desc"));
}

std::vector<GenerationEntry> Catalogue::of(std::string_view view) {
    if (!pool_) return {};
    const DatabasePool::Lease lease = pool_->take();
    const auto sql = lease->begin(SqlMode::snapshot);
    return entries_of(*sql, view);
}

std::optional<GenerationEntry> Catalogue::current(std::string_view view) {
    const std::vector<GenerationEntry> known = of(view);
    const GenerationEntry* found = find_current(known);
    return found ? std::optional{*found} : std::nullopt;
}

void Catalogue::insert(Sql& sql, const GenerationEntry& entry) {
    sql.exec(
        "insert into generation (view, generation, version, state, fingerprint, created_at, "
        "exposed) "
        "values ($1, $2, $3, $4, $5, $6, 0)",
        entry.view, entry.generation, entry.version, entry.state, entry.fingerprint,
        entry.created_at.time_since_epoch().count());
}

std::vector<GenerationEntry> Catalogue::to_feed(const ViewDefinition& definition, Timestamp now) {
    return alone([&](Sql& sql, const std::string&) {
        const std::vector<GenerationEntry> known = entries_of(sql, definition.name);
        const GenerationEntry* current = find_current(known);
        require_no_newer(current, definition.version);
        std::vector<GenerationEntry> feed;
        if (current && current->version == definition.version) feed.push_back(*current);
        bool building = false;
        for (const GenerationEntry& entry : known) {
            if (!entry.building()) continue;
            if (!building && entry.version == definition.version) {
                feed.push_back(entry);
                building = true;
            } else if (current && entry.version <= definition.version) {
                set_state(sql, entry, "retired");
            }
        }
        if (feed.empty()) {
            const auto next = next_number(sql, definition.name);
            feed.push_back({definition.name, next, definition.version, "building", {}, now, false});
            insert(sql, feed.back());
        }
        const std::string mine = fingerprint(definition);
        for (GenerationEntry& entry : feed) {
            if (entry.fingerprint.empty()) {
                sql.exec(
                    "update generation set fingerprint = $3 where view = $1 and generation = $2",
                    entry.view, entry.generation, mine);
                entry.fingerprint = mine;
            } else if (entry.fingerprint != mine) {
                throw Mismatch(
                    "view " + definition.name + " version " + std::to_string(definition.version) +
                    " was built with other columns, events or keys than this program has; "
                    "raise its version, and it is built anew");
            }
        }
        return feed;
    });
}

bool Catalogue::go_live(const GenerationEntry& entry,
                        const std::optional<GenerationEntry>& instead_of) {
    return alone([&](Sql& sql, const std::string&) {
        const std::vector<GenerationEntry> known = entries_of(sql, entry.view);
        const GenerationEntry* current = find_current(known);
        if (current && current->generation != entry.generation) {
            require_no_newer(current, entry.version);
            if (!instead_of || current->generation != instead_of->generation) return false;
            set_state(sql, *current, "retired");
        }
        const std::int64_t now_current = sql.exec(
            "update generation set state = 'current' "
            "where view = $1 and generation = $2 and state in ('building', 'current')",
            entry.view, entry.generation);
        if (now_current != 1) throw not_wanted(entry.view, entry.generation);
        return true;
    });
}

void Catalogue::expect_wanted(std::string_view view, std::int64_t generation) {
    const std::vector<GenerationEntry> known = of(view);
    const bool wanted = std::any_of(known.begin(), known.end(), [&](const GenerationEntry& entry) {
        return entry.generation == generation && (entry.current() || entry.building());
    });
    if (!wanted) throw not_wanted(view, generation);
}

std::int64_t Catalogue::request_rebuild(std::string_view view, Timestamp now) {
    return alone([&](Sql& sql, const std::string& place) {
        const std::vector<GenerationEntry> known = entries_of(sql, view);
        const GenerationEntry* current = find_current(known);
        if (!current) {
            throw InvalidArgument("there is no view " + std::string{view} + " in " + place +
                                  " that could be built anew; a projector makes it");
        }
        for (const GenerationEntry& entry : known) {
            if (entry.building() && entry.version == current->version) return entry.generation;
        }
        const std::int64_t next = next_number(sql, view);
        insert(sql, {std::string{view}, next, current->version, "building", {}, now, false});
        return next;
    });
}

void Catalogue::retire(std::string_view view, std::int64_t generation) {
    alone([&](Sql& sql, const std::string&) {
        const std::int64_t retired = sql.exec(
            "update generation set state = 'retired' "
            "where view = $1 and generation = $2 and state in ('building', 'retired')",
            view, generation);
        if (retired == 0) {
            throw InvalidArgument(
                "view " + std::string{view} + " has no generation " + std::to_string(generation) +
                " that could be dropped: it is unknown, or current; ask for a rebuild "
                "to replace the current one");
        }
    });
}

void Catalogue::forget(std::string_view view, std::int64_t generation) {
    alone([&](Sql& sql, const std::string&) {
        sql.exec(
            "update generation set state = 'dropped' "
            "where view = $1 and generation = $2 and state = 'retired'",
            view, generation);
        sql.exec(  // the highest number is what has to be remembered
            "delete from generation where view = $1 and state = 'dropped' and generation < "
            "(select max(generation) from generation where view = $1)",
            view);
    });
}

void Catalogue::expose(std::string_view view, std::int64_t generation, const std::string& schema,
                       const std::vector<std::string>& tables) {
    alone([&](Sql& sql, const std::string&) {
        const SqlResult before = sql.query("select name from exposed where view = $1", view);
        for (std::size_t row = 0; row < before.size(); ++row) {
            sql.exec("drop view if exists " + quoted(before.text(row, 0)));
        }
        sql.exec("delete from exposed where view = $1", view);
        for (const std::string& table : tables) {
            if (table.starts_with("_")) continue;
            const std::string name = table == view ? table : std::string{view} + "_" + table;
            sql.exec("create view " + quoted(name) + " as select * from " + quoted(schema) + "." +
                     quoted(table));
            sql.exec("insert into exposed (name, view) values ($1, $2)", name, view);
        }
        sql.exec(
            "update generation set exposed = case when generation = $2 then 1 else 0 end "
            "where view = $1",
            view, generation);
    });
}

}  // namespace recount::projections
