#pragma once

#include <gtest/gtest.h>
#include <recount/outbox.hpp>
#include <recount/tools.hpp>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "outbox/kit.hpp"
#include "printed.hpp"
#include "support/servers.hpp"

namespace recount::test {

inline std::string text_in(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

/// A store on PostgreSQL whose topics the program itself makes.
struct APublishedStore : testing::Test {
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 2});
    KafkaTopic topic = own_topic();

    APublishedStore() {
        const auto made = topics("create", {"--store", url});
        EXPECT_EQ(made.code, tools::ok) << made.err;
    }
    Printed topics(const std::string& what, std::vector<std::string> more) const {
        std::vector<std::string> words{"topic", what, topic.name, "--kafka", topic.brokers};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    std::vector<std::string> audit_words() const {
        return {"audit", "--store", url, "--topic", topic.name, "--kafka", topic.brokers};
    }
    /// As a shell runs it.
    std::string audit_program() const {
        std::string words = "'" RECOUNT_PROGRAM "'";
        for (const auto& word : audit_words()) words += " '" + word + "'";
        return words;
    }
    Printed audit(std::vector<std::string> more = {}) const {
        auto words = audit_words();
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    void publish(int count) {
        append_events(*store, count);
        Relay{*store, {.topic = topic}}.catch_up();
    }
};

}  // namespace recount::test
