#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/error.hpp>

#include "place.hpp"

namespace recount::projections {

/// Another generation of the view took over, or this one was dropped: nothing is to be done here
/// any more.
class Superseded : public Mismatch {
public:
    using Mismatch::Mismatch;
};

/// One generation of one view, as the catalogue has it.
struct GenerationEntry {
    std::string view;
    std::int64_t generation = 0;
    std::int64_t version = 0;
    std::string state;  // building, current, retired
    std::string fingerprint;
    Timestamp created_at;
    bool exposed = false;

    [[nodiscard]] bool current() const { return state == "current"; }
    [[nodiscard]] bool building() const { return state == "building"; }
};

/// What tells whether code still means what a generation was built with.
std::string fingerprint(const ViewDefinition& definition);

/// Which generation of each view is current. Each call is one transaction. Thread-safe.
class Catalogue {
public:
    /// Creates it when access is for writing. Throws Mismatch for one of a newer program.
    Catalogue(Place& place, Place::Access access);

    /// All of them; one view's: newest first.
    std::vector<GenerationEntry> all();
    std::vector<GenerationEntry> of(std::string_view view);
    std::optional<GenerationEntry> current(std::string_view view);

    /// The generations that a projector with this code feeds: the current one when it is of this
    /// code's version, and the one being built, which is made when there is need. Older code's that
    /// is being built is given up, but not while nothing is current: it may be about to go live.
    /// Throws Mismatch when the code is older than what is current, or changed under the same
    /// version.
    std::vector<GenerationEntry> to_feed(const ViewDefinition& definition, Timestamp now);

    /// Makes a generation current in place of another, of none if there is none, which is retired.
    /// False when by now another one is current. Throws Superseded, and leaves current what is,
    /// when this one is neither being built nor current, or older code's than what is current.
    bool go_live(const GenerationEntry& entry, const std::optional<GenerationEntry>& instead_of);
    std::int64_t request_rebuild(std::string_view view, Timestamp now);
    /// Throws Superseded when the generation is neither being built nor current any more.
    void expect_wanted(std::string_view view, std::int64_t generation);
    /// Nobody builds it, nor lets it go live, from now on. Throws InvalidArgument when it is
    /// current or unknown.
    void retire(std::string_view view, std::int64_t generation);
    /// Forgets a retired generation, but not its number: what is left of it is never taken for
    /// another's.
    void forget(std::string_view view, std::int64_t generation);

    /// Points the stable-named SQL views at the tables of a generation. PostgreSQL only.
    void expose(std::string_view view, std::int64_t generation, const std::string& schema,
                const std::vector<std::string>& tables);

private:
    static constexpr std::int64_t format = 1;

    void create();
    /// Calls `change(Sql&, name of the database)` in a transaction that no other change of the
    /// catalogue meets, and commits; throws what it throws, with nothing changed.
    template <class Change>
    auto alone(const Change& change);
    void insert(Sql& sql, const GenerationEntry& entry);

    std::shared_ptr<DatabasePool> pool_;  // nothing: there is none
};

/// The tables of the database's own schema, the hidden ones among them; sorted.
std::vector<std::string> tables(Sql& sql);
/// Held until the transaction ends: creates and swaps do not meet. SQLite's write lock does the
/// same.
void lock_structure(Sql& sql);

}  // namespace recount::projections
