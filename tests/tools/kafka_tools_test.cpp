#include <recount/outbox.hpp>
#include <recount/tools.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "printed.hpp"
#include "support/eventually.hpp"
#include "support/servers.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string text_in(const std::string& file) {
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

TEST_F(APublishedStore, IsAuditedOnWhereTheLastAuditEnded) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    // Gone from the topic; only who begins at the beginning misses them.
    delete_records(topic, topic.log(), 0, 5);
    EXPECT_EQ(audit().code, tools::problem);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    publish(20);
    const auto printed = audit({"--resume", file});
    EXPECT_EQ(printed.code, tools::ok);
    EXPECT_THAT(printed.out, HasSubstr("equal: 60 events"));
}

TEST_F(APublishedStore, IsJudgedWhateverBecomesOfTheBookmark) {
    const std::string nowhere = "/nowhere/bookmark";
    publish(40);
    EXPECT_EQ(audit({"--resume", nowhere}).code, tools::unavailable);
    delete_records(topic, topic.log(), 0, 5);
    EXPECT_EQ(audit({"--resume", nowhere}).code, tools::problem);
}

TEST_F(APublishedStore, KeepsItsBookmarkWhileBrokersAreGone) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    const std::string before = text_in(file);
    EXPECT_THAT(before, HasSubstr(to_string(store->heads()[1].hash)));
    topic.brokers = "127.0.0.1:9";
    const std::string out = folder.file("out");
    Child child{{"/bin/sh", "-c",
                 "exec " + audit_program() + " --follow --interval 0.1 --timeout 0.3 --resume '" +
                     file + "' > '" + out + "' 2>&1"}};
    EXPECT_TRUE(eventually([&] {
        return text_in(out).find("could not be told") != std::string::npos;
    })) << text_in(out);
    EXPECT_EQ(text_in(file), before);
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), tools::unavailable) << text_in(out);
    EXPECT_EQ(text_in(file), before);
}

TEST_F(APublishedStore, IsFollowedNoLongerWhenTheBookmarksFolderIsGone) {
    publish(40);
    const TemporaryFolder folder;
    const std::string place = folder.file("place");
    std::filesystem::create_directory(place);
    const std::string out = folder.file("out");
    const auto printed = [&] { return text_in(out); };
    Child child{{"/bin/sh", "-c",
                 "timeout 100 " + audit_program() + " --follow --interval 0.1 " + "--resume '" +
                     place + "/bookmark' > '" + out + "' 2>&1; echo code $? >> '" + out + "'"}};
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(place + "/bookmark"); }))
        << printed();
    // Again and again: it may be written just then.
    EXPECT_TRUE(eventually([&] {
        std::error_code ignored;
        std::filesystem::remove_all(place, ignored);
        return printed().find("code 2") != std::string::npos;
    })) << printed();
    EXPECT_THAT(printed(), HasSubstr("/bookmark could not be written"));
}

TEST_F(APublishedStore, KeepsItsBookmarkWhenAnotherCannotBeWritten) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    const std::string before = text_in(file);
    EXPECT_THAT(before, HasSubstr(to_string(store->heads()[1].hash)));
    std::filesystem::create_directory(file + ".new");
    publish(20);
    const auto printed = audit({"--resume", file});
    EXPECT_NE(printed.code, tools::ok);
    EXPECT_THAT(printed.err, HasSubstr("could not be written"));
    EXPECT_EQ(text_in(file), before);
}

TEST_F(APublishedStore, IsNotAuditedOnFromAnothersBookmark) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    const std::string text = text_in(file);
    std::ofstream{file} << text.substr(0, text.size() - 10);
    auto printed = audit({"--resume", file});
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_THAT(printed.err, AllOf(HasSubstr("damaged"), HasSubstr("remove the file")));
    std::ofstream{file} << "a letter\n";
    printed = audit({"--resume", file});
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_THAT(printed.err, AllOf(HasSubstr("not the bookmark"), HasSubstr(topic.name)));
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
