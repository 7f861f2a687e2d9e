#include "support/temporary_folder.hpp"

#include <system_error>

#include "support/servers.hpp"

namespace recount::test {

TemporaryFolder::TemporaryFolder()
    : path_(std::filesystem::temp_directory_path() / unique_name("recount-test-")) {
    std::filesystem::create_directory(path_);
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace recount::test
