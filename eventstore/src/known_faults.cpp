#include "known_faults.hpp"

#include <spdlog/fmt/fmt.h>

namespace recount {

std::vector<std::string> known_faults_of_sqlite(int version) {
    // sqlite.org/wal.html, "the WAL-reset bug"; by the releases' own numbers, so that one into
    // which a distribution has put the correction is named, too.
    if (version < 3'007'000 || version >= 3'051'003) return {};
    return {fmt::format(
        "SQLite {}.{}.{} can corrupt a file that two connections write or checkpoint at the same "
        "moment (its WAL-reset bug, mended in 3.51.3). A store is written and checkpointed by one "
        "connection of one process, so this does not happen by recount: let no other program "
        "write the file, or link SQLite 3.51.3 or newer",
        version / 1'000'000, version / 1'000 % 1'000, version % 1'000)};
}

std::vector<std::string> known_faults_of_postgres(int version) {
    if (version < 140'000 || version >= 140'004) return {};
    return {fmt::format(
        "PostgreSQL {}.{} can leave rows out of an index that is made or rebuilt CONCURRENTLY "
        "(mended in 14.4, see its release notes): streams and outcomes would miss events. Upgrade "
        "the server, then REINDEX without CONCURRENTLY what was made so",
        version / 10'000, version % 10'000)};
}

}  // namespace recount
