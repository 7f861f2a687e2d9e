#pragma once

#include <pqxx/pqxx>

#include <string>

#include "support/servers.hpp"

namespace recount::test {

/// A database of one test's own on the real server, dropped at its end with all who are in it.
class OwnDatabase {
public:
    OwnDatabase() { run("create database " + name_); }
    ~OwnDatabase() {
        try {
            run("drop database " + name_ + " with (force)");
        } catch (const std::exception&) {
            // That of a test that broke its server is of no use to anybody, and harms nobody.
        }
    }
    OwnDatabase(const OwnDatabase&) = delete;
    OwnDatabase& operator=(const OwnDatabase&) = delete;

    [[nodiscard]] std::string url() const {
        const std::string shared = postgres_url();
        return shared.substr(0, shared.rfind('/') + 1) + name_;
    }

private:
    static void run(const std::string& sql) {
        pqxx::connection connection{postgres_url()};
        pqxx::nontransaction{connection}.exec(sql);
    }

    std::string name_ = unique_name("test_");
};

}  // namespace recount::test
