#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "kafka/producer.hpp"
#include "kafka/settings.hpp"
#include "outbox/variable.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string complaint(const KafkaTopic& topic) {
    try {
        kafka::Producer producer{kafka::client_settings(topic), {}, [](const auto&) {}};
    } catch (const InvalidArgument& error) {
        return error.what();
    }
    return "no complaint";
}

TEST(SettingsOfTheEnvironment, ReachTheClient) {
    const Variable user{"RECOUNT_KAFKA_SASL_USERNAME", "shop"};
    const auto settings = kafka::client_settings({.brokers = "b:1", .name = "shop"});
    EXPECT_EQ(settings.at("sasl.username"), "shop");
    EXPECT_EQ(settings.at("bootstrap.servers"), "b:1");
}

TEST(SettingsOfTheEnvironment, TakeSecretsFromFiles) {
    const TemporaryFolder folder;
    std::ofstream{folder.file("password")} << "quite secret\n";
    const Variable file{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder.file("password")};
    EXPECT_EQ(kafka::client_settings({.brokers = "b:1", .name = "shop"}).at("sasl.password"),
              "quite secret");
}

TEST(SettingsOfTheEnvironment, TakeAllLinesOfAFile) {
    const TemporaryFolder folder;
    std::ofstream{folder.file("key")} << "-----BEGIN\nkey\n-----END\n";
    const Variable key{"RECOUNT_KAFKA_SSL_KEY_PEM_FILE", folder.file("key")};
    const Variable authority{"RECOUNT_KAFKA_SSL_CA_LOCATION", "/etc/ca.pem"};
    const auto settings = kafka::client_settings({.brokers = "b:1", .name = "shop"});
    EXPECT_EQ(settings.at("ssl.key.pem"), "-----BEGIN\nkey\n-----END");
    EXPECT_EQ(settings.at("ssl.ca.location"), "/etc/ca.pem");
}

TEST(SettingsOfTheEnvironment, AreListedWithoutTheirSecrets) {
    using kafka::without_secret;
    EXPECT_EQ(without_secret("CONF", "  client.id = shop"), "  client.id = shop");
    for (const std::string name : {"sasl.oauthbearer.client.secret", "sasl.kerberos.kinit.cmd",
                                   "sasl.password", "ssl.key.pem", "ssl.keystore.password"}) {
        EXPECT_EQ(without_secret("CONF", "  " + name + " = a=canary\nb"), "  " + name + " ");
    }
    EXPECT_EQ(without_secret("CONF", "  sasl.oauthbearer.config = canary"),
              "  sasl.oauthbearer.config");
    EXPECT_EQ(
        without_secret("SASLREFRESH", "Refreshing Kerberos ticket with command: kinit canary"),
        "Refreshing Kerberos ticket with command");
    EXPECT_EQ(without_secret("SASLREFRESH", "Kerberos ticket refresh failed: kinit canary: code 1"),
              "Kerberos ticket refresh failed");
    EXPECT_EQ(without_secret("FAIL", "the password = wrong"), "the password = wrong");
}

TEST(SettingsOfTheEnvironment, NameFilesThatCannotBeRead) {
    const Variable file{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", "/nowhere/at/all"};
    EXPECT_THAT(complaint({.brokers = "b:1", .name = "shop"}),
                HasSubstr("RECOUNT_KAFKA_SASL_PASSWORD_FILE"));
}

TEST(SettingsOfTheEnvironment, NameWhatIsNoFile) {
    const TemporaryFolder folder;
    const Variable named{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder.path().string()};
    EXPECT_THROW(kafka::client_settings({.brokers = "b:1", .name = "shop"}), InvalidArgument);
}

TEST(SettingsOfTheEnvironment, GiveWayToTheTopics) {
    const Variable user{"RECOUNT_KAFKA_CLIENT_ID", "environment"};
    const KafkaTopic topic{.brokers = "b:1", .name = "shop", .properties = {{"client.id", "own"}}};
    EXPECT_EQ(kafka::client_settings(topic).at("client.id"), "own");
}

TEST(SettingsThatPromisesRestOn, CannotBeChanged) {
    for (const auto* name :
         {"enable.idempotence", "acks", "message.timeout.ms", "delivery.report.only.error",
          "metadata.broker.list", "auto.offset.reset", "enable.auto.commit", "isolation.level"}) {
        const KafkaTopic topic{.brokers = "b:1", .name = "shop", .properties = {{name, "1"}}};
        EXPECT_THAT(complaint(topic), HasSubstr(name));
    }
}

TEST(SettingsThatAreWrong, AreNamedWithoutTheirValue) {
    const KafkaTopic unknown{.brokers = "b:1", .name = "shop", .properties = {{"sasl.pass", "s3"}}};
    EXPECT_THAT(complaint(unknown),
                AllOf(HasSubstr("sasl.pass is not known"), Not(HasSubstr("s3"))));
    const KafkaTopic wrong{
        .brokers = "b:1", .name = "shop", .properties = {{"security.protocol", "s3cret"}}};
    EXPECT_THAT(complaint(wrong),
                AllOf(HasSubstr("security.protocol is not valid"), Not(HasSubstr("s3cret"))));
}

TEST(ATopicWithoutBrokers, SaysWhereToNameThem) {
    const Variable none{"KAFKA_BOOTSTRAP_SERVERS", ""};
    EXPECT_THAT(complaint({.brokers = "", .name = "shop"}), HasSubstr("KAFKA_BOOTSTRAP_SERVERS"));
    const Variable some{"KAFKA_BOOTSTRAP_SERVERS", "b:2"};
    EXPECT_EQ(kafka::client_settings({.brokers = "", .name = "s"}).at("bootstrap.servers"), "b:2");
}

}  // namespace
}  // namespace recount::test
