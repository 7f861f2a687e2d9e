#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "outbox/child.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {

/// How a broker lets in those who come from outside: over TLS, with a user's password.
struct Gate {
    int port = 0;
    std::string keystore;  // PKCS12
    std::string keystore_password;
    std::string user, password;  // of SASL PLAIN
    /// The same user's of other mechanisms: "SCRAM-SHA-256", "SCRAM-SHA-512".
    std::map<std::string, std::string> scram = {};
};

/// Where one node of a cluster listens.
struct BrokerPlace {
    int id = 1;
    int port = 0;
    int controller_port = 0;
    std::string voters;  // all of the cluster's controllers
    std::optional<Gate> gate = {};
};

/// A real Kafka broker for one test, to be killed: one node, from the jars that ./dev services
/// fetched.
class OwnBroker {
public:
    OwnBroker();  // a cluster of its own, which answers
    /// The same; it has a second door besides, on the gate's port, which is chosen here.
    explicit OwnBroker(Gate gate);
    /// One of a cluster; not started.
    explicit OwnBroker(BrokerPlace place);

    [[nodiscard]] std::string brokers() const;
    [[nodiscard]] std::string behind_gate() const;
    /// SIGKILL.
    void kill() { process_.reset(); }
    /// Starts it on the same port and data, and waits until it answers.
    void start();
    void launch();  // without waiting

private:
    TemporaryFolder folder_;
    BrokerPlace place_;
    std::string jars_;
    std::unique_ptr<Child> process_;
};

/// Several real brokers, each a controller, too.
class OwnCluster {
public:
    explicit OwnCluster(int count = 3);  // which answer

    [[nodiscard]] std::string brokers() const;
    OwnBroker& broker(int id) { return *nodes_.at(static_cast<std::size_t>(id - 1)); }
    void await_all() const;

private:
    std::vector<std::unique_ptr<OwnBroker>> nodes_;
};

}  // namespace recount::test
