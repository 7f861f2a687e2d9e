#pragma once

#include <string>
#include <vector>

namespace recount {

/// Faults of a library or server of which a store is to be warned: each says what it is, why it
/// matters here and how to get rid of it. Empty for a version that has none we know of.

/// By sqlite3_libversion_number(): 3051003 is 3.51.3.
std::vector<std::string> known_faults_of_sqlite(int version);
/// By `server_version_num`: 140004 is 14.4.
std::vector<std::string> known_faults_of_postgres(int version);

}  // namespace recount
