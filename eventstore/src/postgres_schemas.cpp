#include "postgres_schemas.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "postgres_restore.hpp"
#include "type_schema.hpp"

namespace recount::postgres {

namespace {

std::vector<StoredSchema> stored_of(Session& session, const Parameter& type) {
    const Result rows = session.run(
        "select revision, descriptors from schema where type = $1 order by revision", {&type, 1});
    std::vector<StoredSchema> stored;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        StoredSchema& one = stored.emplace_back();
        one.revision = rows.integer(row, 0);
        if (!rows.null(row, 1)) one.descriptors = rows.bytes(row, 1);
    }
    return stored;
}

}  // namespace

void Schemas::require(std::span<const std::string_view> types) {
    for (const std::string_view type : types) {
        {
            const std::lock_guard lock{mutex_};
            if (rows_.contains(type)) continue;
        }
        const SchemaRow row = find_or_make(type);
        const std::lock_guard lock{mutex_};
        rows_.emplace(type, row);
    }
}

bool Schemas::know(std::span<const std::string_view> types) const {
    const std::lock_guard lock{mutex_};
    return std::ranges::all_of(types, [&](auto type) { return rows_.contains(type); });
}

SchemaRow Schemas::of(std::string_view type) const {
    const std::lock_guard lock{mutex_};
    return rows_.find(type)->second;
}

SchemaRow Schemas::find_or_make(std::string_view type) {
    const TypeSchema known = schema_in_program(type);
    Parameter descriptors;
    descriptors.type = static_cast<std::uint32_t>(Type::bytea);
    if (known.descriptors) descriptors = bytea(*known.descriptors);
    const std::array key{text(type), bytea(known.fingerprint.view())};
    std::array row{key[0], key[1], descriptors, bigint(0)};
    return pool_.with_session([&](Session& session) {
        require_same_server(session, living_);
        constexpr int attempts = 20;  // each lost one was another program's success
        for (int attempt = 0; attempt < attempts; ++attempt) {
            const Result found = session.run(
                "select id, revision from schema where type = $1 and fingerprint = $2", key);
            if (!found.empty()) {
                return SchemaRow{static_cast<std::int32_t>(found.integer(0, 0)),
                                 static_cast<std::uint32_t>(found.integer(0, 1))};
            }
            const auto stored = stored_of(session, key[0]);
            check_evolution(type, stored, session.name());
            // Only behind the revision that was looked at.
            row.back() = bigint(stored.empty() ? 0 : stored.back().revision);
            session.run(
                "insert into schema (type, revision, fingerprint, descriptors) "
                "select $1, $4 + 1, $2, $3 from schema where type = $1 "
                "having coalesce(max(revision), 0) = $4 on conflict do nothing",
                row);
        }
        throw Error(fmt::format("the type {} could not be registered in {}; try again", type,
                                session.name()),
                    true);
    });
}

}  // namespace recount::postgres
