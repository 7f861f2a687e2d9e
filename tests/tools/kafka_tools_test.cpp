#include <recount/outbox.hpp>
#include <recount/tools.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "published_store.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(APublishedStore, IsAuditedInWords) {
    publish(40);
    const auto printed = audit();
    EXPECT_EQ(printed.code, tools::ok) << printed.err;
    EXPECT_THAT(printed.out, AllOf(HasSubstr("equal: 40 events of " + topic.log()),
                                   HasSubstr("0 behind the store")));
}

TEST_F(APublishedStore, IsAuditedInJson) {
    publish(40);
    auto records = read_raw(topic, topic.log(), 1);
    records.resize(1);
    records[0].value = "another";
    produce_again(topic, topic.log(), 1, records);
    const auto printed = audit({"--json"});
    EXPECT_EQ(printed.code, tools::problem);
    const auto lines = printed.lines();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["finding"], "differing");
    EXPECT_EQ(lines[0]["field"], "payload");
    EXPECT_EQ(lines[0]["partition"], 1);
    EXPECT_EQ(lines[0]["first"], 1);
    EXPECT_EQ(lines[1]["verdict"], "differs");
    EXPECT_EQ(lines[1]["partitions"][0]["head"], store->heads()[0].n);
    EXPECT_EQ(lines[1]["partitions"][0]["hash"], to_string(store->heads()[0].hash));
    EXPECT_THAT(printed.out, Not(HasSubstr("another")));
}

TEST_F(APublishedStore, WithoutARelayCannotBeJudged) {
    append_events(*store, 5);
    const auto printed = audit();
    EXPECT_EQ(printed.code, tools::unavailable);
    EXPECT_THAT(printed.out, AllOf(HasSubstr("unknown: 0 events"), HasSubstr("5 behind the store"),
                                   HasSubstr("not been heard of since ever")));
}

TEST_F(APublishedStore, IsFollowedUntilCtrlC) {
    publish(40);
    const TemporaryFolder folder;
    const std::string out = folder.file("out");
    const auto printed = [&] { return text_in(out); };
    Child child{{"/bin/sh", "-c",
                 "exec " + audit_program() + " --follow --interval 0.1 > '" + out + "' 2>&1"}};
    EXPECT_TRUE(eventually([&] { return printed().find("equal: 40 events") != std::string::npos; }))
        << printed();
    publish(60);
    EXPECT_TRUE(eventually([&] {
        return printed().find("equal: 100 events") != std::string::npos;
    })) << printed();
    produce_foreign(topic, topic.log(), 0, "somebody", "else's");
    EXPECT_TRUE(eventually([&] { return printed().find("foreign: topic") != std::string::npos; }))
        << printed();
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), tools::ok);
}

TEST_F(APublishedStore, HasTopicsThatAreFine) {
    EXPECT_EQ(topics("check", {"--store", url}).code, tools::ok);
    EXPECT_EQ(topics("create", {"--store", url}).code, tools::ok);  // again changes nothing
    const auto wide = topics("check", {"--partitions", "3"});
    EXPECT_EQ(wide.code, tools::problem);
    EXPECT_THAT(wide.out, AllOf(HasSubstr("partitions is 2, expected 3"),
                                HasSubstr("recount topic create OTHER_NAME")));
    EXPECT_EQ(topics("check", {"--replication", "3", "--partitions", "2"}).code, tools::problem);
    EXPECT_EQ(topics("check", {"--record-bytes", "2000000", "--partitions", "2"}).code,
              tools::problem);
}

TEST_F(APublishedStore, IsNotAuditedBesidePartitionsThatWereAdded) {
    publish(40);
    add_partitions(topic, topic.log(), 3);
    EXPECT_TRUE(eventually([&] { return topics("check", {"--store", url}).code != tools::ok; }));
    EXPECT_THAT(topics("check", {"--store", url}).out, HasSubstr("partitions is 3, expected 2"));
    const auto printed = audit();
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_THAT(printed.err, HasSubstr("has 3 partitions, expected the store's 2"));

    topic.name += "-2";  // the migration of the README
    EXPECT_EQ(topics("create", {"--store", url}).code, tools::ok);
    Relay{*store, {.topic = topic}}.catch_up();
    EXPECT_EQ(audit().code, tools::ok);
}

/// Everything that the program says, with what librdkafka would tell those who look for faults.
std::string said(const std::string& words) {
    const TemporaryFolder folder;
    const std::string out = folder.file("out");
    Child child{
        {"/bin/sh", "-c",
         "export SPDLOG_LEVEL=trace RECOUNT_KAFKA_DEBUG=all "
         "RECOUNT_KAFKA_SECURITY_PROTOCOL=sasl_plaintext RECOUNT_KAFKA_SASL_MECHANISM=PLAIN "
         "RECOUNT_KAFKA_SASL_USERNAME=shop RECOUNT_KAFKA_SASL_PASSWORD=canary-17 "
         "RECOUNT_KAFKA_SSL_KEY_PASSWORD=canary-17; exec '" RECOUNT_PROGRAM "' " +
             words + " --timeout 2 > '" + out + "' 2>&1"}};
    EXPECT_NE(child.wait(), tools::ok);
    return text_in(out);
}

TEST(Secrets, AreNeverPrinted) {
    const std::string topic = "shop --kafka " + kafka_brokers();  // which takes no password
    const auto url = postgres_url_with_own_schema();
    open_store(url);
    const std::vector<std::string> all{
        "topic check " + topic, "topic create " + topic,
        "audit --store '" + url + "' --topic " + topic,
        "audit --store postgresql://a:canary-17@127.0.0.1:9/b --topic shop"};
    for (const auto& words : all) {
        const auto text = said(words);
        EXPECT_THAT(text, Not(HasSubstr("canary-17"))) << words;
        if (words.find("--kafka") == std::string::npos) continue;
        EXPECT_THAT(text, AllOf(HasSubstr("sasl_plaintext"), HasSubstr("recount: ")));
    }
}

TEST(BrokersThatAreGone, AreSaidToBeGone) {
    const auto url = postgres_url_with_own_schema();
    open_store(url);
    EXPECT_EQ(run({"topic", "check", "shop", "--kafka", "127.0.0.1:9", "--timeout", "0.3"}).code,
              tools::unavailable);
    EXPECT_EQ(run({"audit", "--store", url, "--topic", "shop", "--kafka", "127.0.0.1:9",
                   "--timeout", "0.3"})
                  .code,
              tools::unavailable);
    EXPECT_EQ(run({"audit", "--store", url + "_not_there", "--topic", "shop"}).code,
              tools::bad_usage);
    EXPECT_EQ(run({"audit", "--store", url}).code, tools::bad_usage);
}

}  // namespace
}  // namespace recount::test
