#include "outbox/own_broker.hpp"

#include <recount/core/error.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "kafka/admin.hpp"
#include "outbox/jars.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

int free_port() {
    const int handle = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    const bool fine = bind(handle, plain, size) == 0 && getsockname(handle, plain, &size) == 0;
    close(handle);
    if (!fine) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

std::string at(int port) { return "127.0.0.1:" + std::to_string(port); }

std::vector<BrokerPlace> places(int count) {
    std::vector<BrokerPlace> all;
    std::string voters;
    for (int id = 1; id <= count; ++id) {
        all.push_back({.id = id, .port = free_port(), .controller_port = free_port()});
        voters +=
            (voters.empty() ? "" : ",") + std::to_string(id) + "@" + at(all.back().controller_port);
    }
    for (auto& place : all) place.voters = voters;
    return all;
}

/// Settings of the listener GATE.
std::string settings(const Gate& gate) {
    const std::string name = "listener.name.gate.";
    const std::string modules = "org.apache.kafka.common.security.";
    std::string mechanisms = "PLAIN";
    std::string scram;
    for (const auto& [mechanism, password] : gate.scram) {
        mechanisms += "," + mechanism;
        std::string small = mechanism;
        for (char& letter : small) letter = static_cast<char>(std::tolower(letter));
        scram +=
            name + small + ".sasl.jaas.config=" + modules + "scram.ScramLoginModule required;\n";
    }
    return name + "ssl.keystore.type=PKCS12\n" + name + "ssl.keystore.location=" + gate.keystore +
           "\n" + name + "ssl.keystore.password=" + gate.keystore_password + "\n" + name +
           "ssl.key.password=" + gate.keystore_password + "\n" + name +
           "sasl.enabled.mechanisms=" + mechanisms + "\n" + scram + name +
           "plain.sasl.jaas.config=" + modules + "plain.PlainLoginModule required user_" +
           gate.user + "=\"" + gate.password + "\";\n";
}

void configure(const std::string& path, const std::string& data, const BrokerPlace& place) {
    const std::string door = place.gate ? ",GATE://" + at(place.gate->port) : "";
    std::ofstream{path} << "process.roles=broker,controller\nnode.id=" << place.id << "\n"
                        << "controller.quorum.voters=" << place.voters << "\n"
                        << "listeners=PLAINTEXT://" << at(place.port) << ",CONTROLLER://"
                        << at(place.controller_port) << door << "\n"
                        << "advertised.listeners=PLAINTEXT://" << at(place.port) << door << "\n"
                        << "controller.listener.names=CONTROLLER\n"
                        << "inter.broker.listener.name=PLAINTEXT\n"
                        << "listener.security.protocol.map="
                           "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,GATE:SASL_SSL\n"
                        << (place.gate ? settings(*place.gate) : "")
                        << "broker.session.timeout.ms=4000\nbroker.heartbeat.interval.ms=500\n"
                        << "log.dirs=" << data << "\noffsets.topic.replication.factor=1\n"
                        << "transaction.state.log.replication.factor=1\n"
                        << "transaction.state.log.min.isr=1\n";
}

BrokerPlace behind(Gate gate) {
    BrokerPlace place = places(1).front();
    gate.port = free_port();
    place.gate = std::move(gate);
    return place;
}

bool answer(const std::string& brokers, std::int32_t count) {
    return eventually([&] {
        try {
            kafka::Admin admin{{{"bootstrap.servers", brokers}, {"log_level", "0"}}};
            return admin.brokers(std::chrono::seconds{2}) == count;
        } catch (const Unavailable&) {
            return false;
        }
    });
}

}  // namespace

OwnBroker::OwnBroker() : OwnBroker(places(1).front()) { start(); }

OwnBroker::OwnBroker(Gate gate) : OwnBroker(behind(std::move(gate))) { start(); }

OwnBroker::OwnBroker(BrokerPlace place) : place_(std::move(place)), jars_(jars_of("kafka") + "/*") {
    configure(folder_.file("server.properties"), folder_.file("data"), place_);
    std::ofstream{folder_.file("log4j.properties")} << "log4j.rootLogger=OFF\n";
    std::vector<std::string> command{
        "/usr/bin/java",
        "-Dlog4j.configuration=file:" + folder_.file("log4j.properties"),
        "-cp",
        jars_,
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "MkU3OEVBNTcwNTJENDM2Qk",
        "-c",
        folder_.file("server.properties")};
    if (place_.gate) {
        for (const auto& [mechanism, password] : place_.gate->scram) {
            command.emplace_back("--add-scram");
            command.push_back(mechanism + "=[name=" + place_.gate->user + ",password=" + password +
                              "]");
        }
    }
    Child format{command};
    if (!eventually([&] { return !format.running(); })) {
        throw std::runtime_error("the broker's data folder could not be prepared");
    }
}

std::string OwnBroker::brokers() const { return at(place_.port); }

std::string OwnBroker::behind_gate() const { return at(place_.gate.value().port); }

void OwnBroker::launch() {
    process_ = std::make_unique<Child>(std::vector<std::string>{
        "/usr/bin/java", "-Dlog4j.configuration=file:" + folder_.file("log4j.properties"),
        "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars_, "kafka.Kafka",
        folder_.file("server.properties")});
}

void OwnBroker::start() {
    launch();
    if (!answer(brokers(), 1)) throw std::runtime_error("the test's own broker did not start");
}

OwnCluster::OwnCluster(int count) {
    for (auto& place : places(count)) nodes_.push_back(std::make_unique<OwnBroker>(place));
    for (auto& node : nodes_) node->launch();
    await_all();
}

std::string OwnCluster::brokers() const {
    std::string all;
    for (const auto& node : nodes_) all += (all.empty() ? "" : ",") + node->brokers();
    return all;
}

void OwnCluster::await_all() const {
    // Each is asked by itself: one knows of the others before they know of it.
    for (const auto& node : nodes_) {
        if (!answer(node->brokers(), static_cast<std::int32_t>(nodes_.size()))) {
            throw std::runtime_error("the test's own brokers did not start");
        }
    }
}

}  // namespace recount::test
