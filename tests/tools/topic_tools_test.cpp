#include <recount/outbox.hpp>
#include <recount/tools.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include <nlohmann/json.hpp>

#include "outbox/kit.hpp"
#include "printed.hpp"
#include "support/servers.hpp"

namespace recount::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

TEST(TopicsThatAreSetWrongly, AreListedWithTheCommandsThatMendThem) {
    const auto topic = own_topic();
    create_plain_topic(topic, topic.log(), 2,
                       {{"cleanup.policy", "compact"},
                        {"retention.ms", "1000"},
                        {"max.message.bytes", "1000"},
                        {"min.insync.replicas", "2"}});
    const std::vector<std::string> words{topic.name,     "--kafka", topic.brokers,
                                         "--partitions", "2",       "--json"};
    const auto with = [&](const char* what) {
        std::vector<std::string> all{"topic", what};
        all.insert(all.end(), words.begin(), words.end());
        return run(all);
    };
    const auto checked = with("check");
    EXPECT_EQ(checked.code, tools::problem);
    std::map<std::string, json> problems;
    for (const auto& line : checked.lines()) problems[line["problem"]] = line;
    EXPECT_EQ(problems.size(), 6U) << checked.out;
    EXPECT_EQ(problems["missing"]["topic"], topic.heads());
    EXPECT_TRUE(problems["replication"]["advice"]);
    EXPECT_THAT(problems["min.insync.replicas"]["why"], HasSubstr("brokers refuse every record"));
    for (const auto* setting : {"cleanup.policy", "retention.ms", "max.message.bytes"}) {
        EXPECT_THAT(std::string{problems[setting]["mend"]},
                    AllOf(HasSubstr("kafka-configs.sh --bootstrap-server " + topic.brokers),
                          HasSubstr("--add-config " + std::string{setting} + "=")));
    }
    const auto created = with("create");
    EXPECT_EQ(created.code, tools::problem);
    EXPECT_THAT(created.err, AllOf(HasSubstr("cleanup.policy=compact"), HasSubstr("3 more")));
    EXPECT_EQ(with("check").lines().size(), 6U);  // the heads were not made beside it
}

TEST(TopicsOfAStoreThatHoldsLargeEvents, AreMeasuredOnRequest) {
    const std::string url = postgres_url_with_own_schema();
    const auto store = open_store(
        url, {.partitions = 2, .limits = {.event_bytes = 2 << 20, .append_bytes = 8 << 20}});
    append_events(*store, 1, 1, "thing", 1'500'000);
    KafkaTopic topic = own_topic();
    const auto topics = [&](const std::string& what, std::vector<std::string> more) {
        std::vector<std::string> words{"topic", what, topic.name, "--kafka", topic.brokers};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    };
    EXPECT_EQ(topics("create", {"--store", url}).code, tools::ok);
    EXPECT_EQ(topics("check", {"--store", url}).code, tools::ok) << "it knows the usual limits";
    const auto measured = topics("check", {"--store", url, "--measure"});
    EXPECT_EQ(measured.code, tools::problem);
    EXPECT_THAT(measured.out, HasSubstr("max.message.bytes is 1052672, expected 150"));
    EXPECT_NE(topics("check", {"--partitions", "2", "--measure"}).code, tools::ok) << "of what?";

    topic.name += "-2";
    EXPECT_EQ(topics("create", {"--store", url, "--measure"}).code, tools::ok);
    EXPECT_EQ(topics("check", {"--store", url, "--measure"}).code, tools::ok);
    EXPECT_EQ((Relay{*store, {.topic = topic, .record_bytes = 1'503'000}}).catch_up(), 1);
}

}  // namespace
}  // namespace recount::test
