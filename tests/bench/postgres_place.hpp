#pragma once

#include <recount/eventstore.hpp>

#include <string>

#include "support/servers.hpp"

namespace recount::bench {

/// A schema of the test server that lives as long as this.
class Place {
public:
    Place() : schema_(test::unique_name("bench_")) {}
    ~Place() {
        auto database = Database::open(url());
        auto transaction = database->begin(SqlMode::write);
        transaction->script("drop schema " + schema_ + " cascade");
        transaction->commit();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] std::string url() const { return test::postgres_url() + "?schema=" + schema_; }
    [[nodiscard]] const std::string& schema() const { return schema_; }

private:
    std::string schema_;
};

}  // namespace recount::bench
