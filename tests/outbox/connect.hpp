#pragma once

#include <memory>
#include <string>

#include "outbox/child.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {

/// Kafka Connect, one worker that runs one connector, with Debezium as its only plugin, from the
/// jars that ./dev services fetched.
class Connect {
public:
    /// `connector` is the connector's JSON file, as one would give it to Connect.
    Connect(const std::string& brokers, const std::string& connector);

    /// Without waiting: what it does shows in its topics.
    void start();
    /// In order, so that it knows afterwards how far it was.
    void stop();
    /// All it has logged so far.
    [[nodiscard]] std::string log() const;
    [[nodiscard]] std::string complaints() const;  // of it: warnings, errors and their causes

private:
    TemporaryFolder folder_;
    std::string kafka_;
    std::unique_ptr<Child> process_;
};

}  // namespace recount::test
