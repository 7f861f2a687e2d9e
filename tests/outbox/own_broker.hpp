#pragma once

#include <memory>
#include <string>

#include "outbox/child.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {

/// A real Kafka broker for one test, to be killed: one node, from the jars that ./dev services
/// fetched.
class OwnBroker {
public:
    OwnBroker();

    [[nodiscard]] std::string brokers() const;
    /// SIGKILL.
    void kill() { process_.reset(); }
    /// Starts it on the same port and data, and waits until it answers.
    void start();

private:
    TemporaryFolder folder_;
    int port_;
    std::string jars_;
    std::unique_ptr<Child> process_;
};

}  // namespace recount::test
