#pragma once

#include <string>

#include "support/temporary_folder.hpp"

namespace recount::test {

/// The URL of a store that is not there yet: in the folder, or on the server. Each program of these
/// tests is linked with one of the two.
std::string new_place(const TemporaryFolder& folder);

}  // namespace recount::test
