#include "topic_inspection.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace recount {
namespace {

std::string config(const kafka::TopicSpec& topic, const std::string& name,
                   std::string_view otherwise) {
    const auto found = topic.configs.find(name);
    return found == topic.configs.end() ? std::string{otherwise} : found->second;
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

void TopicInspection::expect(const std::string& name, const std::string& wanted,
                             const std::string& why) {
    const std::string actual = config(topic_, name, wanted);
    if (actual != wanted) {
        add({.setting = name,
             .found = actual,
             .expected = wanted,
             .why = why,
             .mend = alter(name + "=" + wanted)});
    }
}

void TopicInspection::partitions(std::int32_t wanted, const std::string& why,
                                 const std::string& mend) {
    if (topic_.partitions == wanted) return;
    add({.setting = "partitions",
         .found = std::to_string(topic_.partitions),
         .expected = std::to_string(wanted),
         .why = why,
         .mend = mend});
}

void TopicInspection::size(std::int64_t record_bytes) {
    const std::int64_t actual = number(config(topic_, "max.message.bytes", "1048588"));
    if (actual >= record_bytes) return;
    const std::string wanted = std::to_string(record_bytes + batch_overhead);
    add({.setting = "max.message.bytes",
         .found = std::to_string(actual),
         .expected = wanted,
         .why = "the store's largest events would not fit",
         .mend = alter("max.message.bytes=" + wanted)});
}

void TopicInspection::times() {
    expect("message.timestamp.type", "CreateTime",
           "records would carry the broker's time instead of that of the event");
    // The second is what Kafka called it before 3.6.
    for (const char* name :
         {"message.timestamp.before.max.ms", "message.timestamp.difference.max.ms"}) {
        expect(name, std::to_string(std::numeric_limits<std::int64_t>::max()),
               "events that were recorded longer ago would be refused");
    }
}

void TopicInspection::replicas(std::int16_t at_least) {
    expect("unclean.leader.election.enable", "false",
           "a replica that lags could become leader and drop acknowledged events");
    const std::int16_t wanted = std::max<std::int16_t>(at_least, 2);
    if (topic_.replication < wanted) {
        add({.setting = "replication",
             .found = std::to_string(topic_.replication),
             .expected = std::to_string(wanted),
             .why = "its events are as safe as the disks of so few brokers",
             .mend = "kafka-reassign-partitions.sh --bootstrap-server " + brokers() +
                     " --execute --reassignment-json-file FILE, where FILE lists more replicas",
             .advice = at_least <= topic_.replication});
    }
    in_sync();
}

bool TopicInspection::can_be_written() {
    const auto actual = number(config(topic_, "min.insync.replicas", "1"));
    if (actual > topic_.replication) {
        add({.setting = "min.insync.replicas",
             .found = std::to_string(actual),
             .expected = std::to_string(std::max(1, topic_.replication - 1)),
             .why = "there are not so many replicas, so that brokers refuse every record",
             .mend = alter("min.insync.replicas=" +
                           std::to_string(std::max(1, topic_.replication - 1)))});
        return false;
    }
    return true;
}

void TopicInspection::in_sync() {
    const std::string actual = config(topic_, "min.insync.replicas", "1");
    if (can_be_written() && topic_.replication >= wanted_replicas && number(actual) < 2) {
        add({.setting = "min.insync.replicas",
             .found = actual,
             .expected = "2",
             .why = "acknowledged events could be on one broker only",
             .mend = alter("min.insync.replicas=2")});
    }
}

void TopicInspection::add(TopicProblem problem) {
    problem.topic = topic_.name;
    problems_.push_back(std::move(problem));
}

std::string TopicInspection::alter(const std::string& change) const {
    return "kafka-configs.sh --bootstrap-server " + brokers() +
           " --alter --entity-type topics --entity-name " + topic_.name + " --add-config " + change;
}

}  // namespace recount
