#include <recount/core/error.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "outbox/own_broker.hpp"
#include "outbox/variable.hpp"
#include "support/servers.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string password = "canary-of-the-user";
const std::string wrong_password = "canary-of-nobody";
const std::map<std::string, std::string> scram{{"SCRAM-SHA-256", "canary-of-256-bits"},
                                               {"SCRAM-SHA-512", "canary-of-512-bits"}};

void run(const std::vector<std::string>& command) {
    if (Child{command}.wait() != 0) throw std::runtime_error(command[1] + " failed");
}

/// A certificate for 127.0.0.1, signed by itself.
class Certificate {
public:
    Certificate() {
        run({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=recount", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
             folder_.file("key.pem"), "-out", pem(), "-batch"});
        run({"/usr/bin/openssl", "pkcs12", "-export", "-name", "broker", "-in", pem(), "-inkey",
             folder_.file("key.pem"), "-out", keystore(), "-passout", "pass:keystore"});
    }
    [[nodiscard]] std::string pem() const { return folder_.file("certificate.pem"); }
    [[nodiscard]] std::string keystore() const { return folder_.file("broker.p12"); }

private:
    TemporaryFolder folder_;
};

/// A real broker that lets nobody in without TLS and a password, and all that is logged and thrown.
class GuardedBroker : public testing::Test {
protected:
    static void SetUpTestSuite() {
        certificate = std::make_unique<Certificate>();
        broker = std::make_unique<OwnBroker>(Gate{.keystore = certificate->keystore(),
                                                  .keystore_password = "keystore",
                                                  .user = "relay",
                                                  .password = password,
                                                  .scram = scram});
    }
    static void TearDownTestSuite() {
        broker.reset();
        certificate.reset();
    }

    GuardedBroker() {
        testing::internal::CaptureStderr();
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
        spdlog::set_level(spdlog::level::trace);
        append_events(*store_, 50);
        std::ofstream{folder_.file("password")} << password << "\n";
        std::ofstream{folder_.file("wrong")} << wrong_password << "\n";
        for (const auto& [mechanism, its] : scram) {
            std::ofstream{folder_.file(mechanism)} << its << "\n";
        }
    }
    ~GuardedBroker() override {
        spdlog::set_default_logger(logger_);
        log_ << testing::internal::GetCapturedStderr();
        EXPECT_THAT(log_.str(), Not(HasSubstr("canary")));
    }

    /// What relay and reader say that are kept out, each within its time limit.
    std::vector<std::string> complaints() {
        return {relays_complaint(),
                complaint([&] { KafkaLog{{.topic = topic_, .broker_timeout = limit}}; }),
                complaint([&] { inspect_topics(topic_, {.partitions = 2, .timeout = limit}); })};
    }
    std::string relays_complaint() {
        return complaint([&] {
            Relay{*store_, {.topic = topic_, .broker_timeout = limit}}.catch_up();
        });
    }
    static std::string complaint(const std::function<void()>& work) {
        const auto began = Environment::system().clock.steady();
        std::string said = "nothing";
        try {
            work();
        } catch (const Unavailable& error) {
            said = error.what();
        }
        // Twice as long is left to a slow machine.
        EXPECT_LT(Environment::system().clock.steady() - began, 2 * limit);
        EXPECT_THAT(said, Not(HasSubstr("canary")));
        return said;
    }

    static constexpr Duration limit = std::chrono::seconds{3};
    static std::unique_ptr<Certificate> certificate;
    static std::unique_ptr<OwnBroker> broker;

    TemporaryFolder folder_;
    std::ostringstream log_;
    std::shared_ptr<spdlog::logger> logger_ = spdlog::default_logger();
    std::unique_ptr<EventStore> store_ = open_store("memory:", {.partitions = 2});
    KafkaTopic topic_{.brokers = broker->behind_gate(), .name = unique_name("gate-")};
    const Variable protocol_{"RECOUNT_KAFKA_SECURITY_PROTOCOL", "sasl_ssl"};
    const Variable mechanism_{"RECOUNT_KAFKA_SASL_MECHANISMS", "PLAIN"};
    const Variable user_{"RECOUNT_KAFKA_SASL_USERNAME", "relay"};
};

std::unique_ptr<Certificate> GuardedBroker::certificate;
std::unique_ptr<OwnBroker> GuardedBroker::broker;

TEST_F(GuardedBroker, LetsInWhoHasCertificateAndPassword) {
    const Variable authority{"RECOUNT_KAFKA_SSL_CA_LOCATION", certificate->pem()};
    const Variable secret{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder_.file("password")};
    const Variable everything{"RECOUNT_KAFKA_DEBUG", "security,broker,conf"};
    create_topics(topic_, {.partitions = 2});
    EXPECT_EQ(Relay(*store_, {.topic = topic_}).catch_up(), 50);
    KafkaLog log{{.topic = topic_}};
    EXPECT_EQ(differences(*store_, log), "");
}

TEST_F(GuardedBroker, SaysWhoseAWrongPasswordIs) {
    const Variable authority{"RECOUNT_KAFKA_SSL_CA_LOCATION", certificate->pem()};
    const Variable secret{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder_.file("wrong")};
    for (const auto& complaint : complaints()) {
        EXPECT_THAT(complaint,
                    AllOf(HasSubstr(broker->behind_gate()), HasSubstr("uthentication failed"),
                          HasSubstr("check user and password (RECOUNT_KAFKA_SASL_")));
    }
}

TEST_F(GuardedBroker, LetsInWhoProvesAPasswordWithoutSayingIt) {
    const Variable authority{"RECOUNT_KAFKA_SSL_CA_LOCATION", certificate->pem()};
    const Variable everything{"RECOUNT_KAFKA_DEBUG", "security,broker,conf"};
    for (const auto& [mechanism, its] : scram) {
        SCOPED_TRACE(mechanism);
        const Variable proof{"RECOUNT_KAFKA_SASL_MECHANISMS", mechanism};
        store_ = open_store("memory:", {.partitions = 2});
        append_events(*store_, 50);
        topic_.name = unique_name("gate-");
        {
            const Variable secret{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder_.file(mechanism)};
            create_topics(topic_, {.partitions = 2});
            EXPECT_EQ(Relay(*store_, {.topic = topic_}).catch_up(), 50);
        }
        append_events(*store_, 20);
        {
            // Right for the same user, but not for this mechanism.
            const Variable secret{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder_.file("password")};
            EXPECT_THAT(relays_complaint(),
                        AllOf(HasSubstr(broker->behind_gate()), HasSubstr("uthentication failed"),
                              HasSubstr(mechanism),
                              HasSubstr("check user and password (RECOUNT_KAFKA_SASL_")));
        }
        const Variable secret{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder_.file(mechanism)};
        EXPECT_EQ(Relay(*store_, {.topic = topic_}).catch_up(), 20);
        KafkaLog log{{.topic = topic_}};
        EXPECT_EQ(differences(*store_, log), "");
    }
}

TEST_F(GuardedBroker, IsNotTrustedUnderAnotherAuthority) {
    const Certificate another;
    const Variable authority{"RECOUNT_KAFKA_SSL_CA_LOCATION", another.pem()};
    const Variable secret{"RECOUNT_KAFKA_SASL_PASSWORD_FILE", folder_.file("password")};
    for (const auto& complaint : complaints()) {
        EXPECT_THAT(complaint,
                    AllOf(HasSubstr(broker->behind_gate()), HasSubstr("certificate verify failed"),
                          HasSubstr("check the certificates (RECOUNT_KAFKA_SSL_")));
    }
}

TEST_F(GuardedBroker, IsNotSpokenToInTheClear) {
    const Variable plain{"RECOUNT_KAFKA_SECURITY_PROTOCOL", "plaintext"};
    for (const auto& complaint : complaints()) {
        EXPECT_THAT(complaint, AllOf(HasSubstr(broker->behind_gate()),
                                     HasSubstr("check RECOUNT_KAFKA_SECURITY_PROTOCOL")));
    }
}

}  // namespace
}  // namespace recount::test
