#include "support/servers.hpp"

#include <recount/core/environment.hpp>

#include <spdlog/fmt/fmt.h>

#include <cstdlib>
#include <stdexcept>

namespace recount::test {
namespace {

std::string from_environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        throw std::runtime_error(
            fmt::format("{} is not set, and this test needs the real server: run ./dev test, or "
                        "./dev services up and eval \"$(./dev services env)\"",
                        name));
    }
    return value;
}

}  // namespace

std::string postgres_url() { return from_environment("RECOUNT_TEST_POSTGRES"); }

std::string postgres_url_with_own_schema() {
    return postgres_url() + "?schema=" + unique_name("test_");
}

std::string kafka_brokers() { return from_environment("RECOUNT_TEST_KAFKA"); }

std::string unique_name(std::string_view prefix) {
    return fmt::format("{}{:016x}", prefix, Environment::system().random.next());
}

}  // namespace recount::test
