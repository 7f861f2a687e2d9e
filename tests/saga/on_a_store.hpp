#pragma once

#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include <memory>
#include <string>
#include <vector>

#include "orders.hpp"
#include "support/servers.hpp"
#include "support/temporary_folder.hpp"

namespace recount::saga_test {

/// Each program of these tests is linked with one of the two files that say it.
std::vector<const char*> kinds_of_stores();

/// A store of one partition, of each kind there is, with a clock of its own.
class OnAStore : public testing::TestWithParam<const char*> {
protected:
    OnAStore() { Weather::today() = {}; }

    std::string url() {
        const std::string kind = GetParam();
        if (kind == "postgres") return test::postgres_url_with_own_schema();
        return kind == "memory" ? "memory:" : "sqlite:" + folder_.file("store.db");
    }

    test::TemporaryFolder folder_;
    test::ManualEnvironment world_{1, Environment::system().clock.now()};
    std::unique_ptr<EventStore> store_ =
        open_store(url(), {.partitions = 1, .environment = &world_.environment()});
};

}  // namespace recount::saga_test
