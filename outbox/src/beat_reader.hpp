#pragma once

#include <memory>
#include <optional>

#include <recount/outbox/kafka_log.hpp>

#include "beat.hpp"
#include "kafka/reader.hpp"

namespace recount {

/// Follows the heads topic. One thread at a time.
class BeatReader {
public:
    BeatReader(const KafkaLogOptions& options, Environment& environment);

    /// The newest beat there is, by now; nothing when there never was one. Throws Mismatch when the
    /// beats begin to tell of another store.
    const std::optional<Beat>& newest();

private:
    void require_topic();
    void from_the_end();
    void take(const kafka::Record& record);

    Environment& environment_;
    Duration timeout_;
    kafka::Reader reader_;
    std::optional<Beat> beat_;
    bool started_ = false;
    bool was_there_ = false;  // the topic, when it was first looked at
};

}  // namespace recount
