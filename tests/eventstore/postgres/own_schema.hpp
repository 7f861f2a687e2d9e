#pragma once

#include <recount/eventstore.hpp>

#include "support/servers.hpp"

#include <string>

namespace recount::test {

/// A schema of one test's own on the real server, dropped at its end.
class OwnSchema {
public:
    OwnSchema() : name_(unique_name("test_")) {}
    ~OwnSchema() {
        try {
            auto database = Database::open(url());
            auto transaction = database->begin(SqlMode::write);
            transaction->script("drop schema \"" + name_ + "\" cascade");
            transaction->commit();
        } catch (const std::exception&) {
            // A schema of a test that broke its server is of no use to anybody, and harms nobody.
        }
    }
    OwnSchema(const OwnSchema&) = delete;
    OwnSchema& operator=(const OwnSchema&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::string url() const { return postgres_url() + "?schema=" + name_; }

    /// By hand, behind the back of every store.
    void change(const std::string& sql) const {
        const auto database = Database::open(url());
        const auto transaction = database->begin(SqlMode::write);
        transaction->script(sql);
        transaction->commit();
    }

private:
    std::string name_;
};

}  // namespace recount::test
