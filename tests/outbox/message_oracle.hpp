#pragma once

#include <string>

#include "outbox/kit.hpp"

namespace recount::test {

KafkaTopic own_message_topic(std::int32_t partitions = 3);

/// What became of a topic of messages.
struct Messages {
    std::int64_t expected = 0;
    std::int64_t replays = 0;
    std::string wrong;  // "" when nothing is
};

/// The oracle: the topic, after dropping what was there before by its id, is exactly what the
/// mapping makes of the store's log; in each of its partitions, what comes from one partition of
/// the store is in order. `complete`: all of it, else a beginning.
Messages compare_messages(EventStore& store, const MessageMapping& mapping, const KafkaTopic& topic,
                          std::int32_t partitions = 3, bool complete = true);

}  // namespace recount::test
