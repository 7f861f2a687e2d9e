#pragma once

#include <recount/eventstore/sql.hpp>
#include <recount/outbox.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "outbox/kit.hpp"
#include "support/servers.hpp"

namespace recount::test {

/// A store in PostgreSQL, its topic, and an audit that keeps what it finds.
struct AnAuditedTopic : testing::Test {
    std::string url = postgres_url_with_own_schema();
    std::unique_ptr<EventStore> store = open_store(url, {.partitions = 2});
    KafkaTopic topic = own_topic_for(*store);
    std::vector<AuditFinding> findings;

    void publish(int count) {
        append_events(*store, count);
        Relay{*store, {.topic = topic}}.catch_up();
    }
    AuditOptions options() {
        return {.topic = topic,
                .on_finding = [this](const AuditFinding& found) { findings.push_back(found); }};
    }
    /// As an operator does it: the store opened to be read only.
    AuditReport audit() {
        findings.clear();
        const auto own = open_store(url, {.create = false, .read_only = true});
        return Audit{*own, options()}.catch_up();
    }
    std::vector<RawRecord> records(std::int32_t partition = 0) {
        return read_raw(topic, topic.log(), partition);
    }
    /// Another topic of the same store: records as `change` leaves them, and the heads as they are.
    void into_another_topic(const std::function<void(std::vector<RawRecord>&)>& change) {
        const KafkaTopic other = own_topic_for(*store);
        for (std::int32_t partition = 0; partition < 2; ++partition) {
            auto all = records(partition);
            if (partition == 0) change(all);
            produce_again(other, other.log(), partition, all);
        }
        topic = other;
    }
    std::int64_t head(std::size_t partition = 0) { return store->heads().at(partition).n; }
    void execute(const char* statement) {
        auto database = Database::open(url);
        auto sql = database->begin(SqlMode::write);
        ASSERT_GE(sql->exec(statement), 1);
        sql->commit();
    }
};

}  // namespace recount::test
