#include "outbox/jars.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace recount::test {
namespace {

std::string or_else(const char* variable, const std::string& otherwise) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

/// As scripts/jars.sh has it.
std::string jars_of(const std::string& name) {
    const auto cache =
        or_else("RECOUNT_CACHE",
                or_else("XDG_CACHE_HOME", or_else("HOME", "/root") + "/.cache") + "/recount");
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(cache, none)) {
        if (entry.path().filename().string().starts_with(name + "-")) return entry.path().string();
    }
    throw std::runtime_error("no " + name + " below " + cache + "; run ./dev services fetch");
}

}  // namespace recount::test
