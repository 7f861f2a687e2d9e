#include "outbox/message_oracle.hpp"

#include <recount/core/error.hpp>
#include <recount/core/stream.hpp>

#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

#include "support/eventually.hpp"

namespace recount::test {
namespace {

/// Of a message, but for its id: where it goes, key, value, position and place.
using Told = std::tuple<std::string, std::string, std::string, std::string>;
/// By partition of the topic and partition of the store.
using Sequences = std::map<std::pair<std::int32_t, std::string>, std::vector<Told>>;

std::string store_partition(const std::string& position) {
    return position.substr(0, position.find(':'));
}

Sequences expected_messages(EventStore& store, const MessageMapping& mapping,
                            std::int32_t partitions, std::int64_t& count) {
    Sequences all;
    for (const auto& events : read_all(store)) {
        for (const auto& event : events) {
            const auto made = mapping.publish(event);
            for (std::size_t index = 0; index < made.size(); ++index) {
                const auto position = to_string(event.at.position);
                const auto place = std::to_string(index + 1) + "/" + std::to_string(made.size());
                const auto to = partition_of(made[index].key, partitions).value;
                all[{to, store_partition(position)}].emplace_back(
                    made[index].key, made[index].value, position, place);
                ++count;
            }
        }
    }
    return all;
}

/// Positions of a store's partition only grow, as long as it is not restored.
std::pair<std::int64_t, int> rank(const RawRecord& record) {
    const auto position = record.header("recount-position");
    return {std::stoll(position.substr(position.find(':') + 1)),
            std::stoi(record.header("recount-message"))};
}

}  // namespace

KafkaTopic own_message_topic(std::int32_t partitions) {
    const auto topic = own_topic();
    create_plain_topic(topic, topic.name, partitions);
    const bool answers = eventually([&] {
        try {
            for (std::int32_t number = 0; number < partitions; ++number) {
                read_raw(topic, topic.name, number);
            }
            return true;
        } catch (const Error&) {
            return false;  // its leaders do not know yet that they are
        }
    });
    if (!answers) throw std::runtime_error("topic " + topic.name + " has no leaders");
    return topic;
}

Messages compare_messages(EventStore& store, const MessageMapping& mapping, const KafkaTopic& topic,
                          std::int32_t partitions, bool complete) {
    Messages found;
    const auto expected = expected_messages(store, mapping, partitions, found.expected);
    Sequences there;
    std::set<std::string> ids;
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        std::map<std::string, std::pair<std::int64_t, int>> last;
        for (const auto& record : read_raw(topic, topic.name, partition)) {
            const auto position = record.header("recount-position");
            auto& before = last[store_partition(position)];
            const bool fresh = ids.insert(record.header("ce_id")).second;
            if (fresh != (rank(record) > before)) {
                found.wrong = "id and position of " + position + " disagree";
                return found;
            }
            before = std::max(before, rank(record));
            if (!fresh) {
                ++found.replays;
                continue;
            }
            there[{partition, store_partition(position)}].emplace_back(
                record.key, record.value.value_or("null"), position,
                record.header("recount-message"));
        }
    }
    for (const auto& [where, records] : there) {
        const auto& sequence = records;  // clang 14 captures no structured binding
        const auto wanted = expected.find(where);
        const auto fits = [&](std::size_t index) {
            return wanted != expected.end() && index < wanted->second.size() &&
                   wanted->second[index] == sequence[index];
        };
        for (std::size_t index = 0; index < sequence.size(); ++index) {
            if (fits(index)) continue;
            found.wrong = "partition " + std::to_string(where.first) +
                          ": not expected there: " + std::get<2>(sequence[index]) + " " +
                          std::get<3>(sequence[index]);
            return found;
        }
    }
    if (complete && static_cast<std::int64_t>(ids.size()) != found.expected) {
        found.wrong =
            std::to_string(ids.size()) + " messages, expected " + std::to_string(found.expected);
    }
    return found;
}

}  // namespace recount::test
