#include "kafka/admin.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <recount/core/error.hpp>

#include "kafka/kafka_handle.hpp"

namespace recount::kafka {
namespace {

struct Delete {
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
    void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
    void operator()(rd_kafka_AdminOptions_t* options) const {
        rd_kafka_AdminOptions_destroy(options);
    }
    void operator()(rd_kafka_ConfigResource_t* resource) const {
        rd_kafka_ConfigResource_destroy(resource);
    }
    void operator()(const rd_kafka_metadata_t* metadata) const {
        rd_kafka_metadata_destroy(metadata);
    }
};

template <class T>
using Owned = std::unique_ptr<T, Delete>;

constexpr std::size_t reason_bytes = 512;

/// A request that nobody answered; another may be.
struct Silent : Unavailable {
    using Unavailable::Unavailable;
};

std::string silence(const std::string& what, const std::string& why) {
    return what + ": no broker answers: " + why +
           "; check the brokers' addresses and that they run";
}

Owned<rd_kafka_AdminOptions_t> options_for(rd_kafka_t* handle, rd_kafka_admin_op_t operation,
                                           Duration at_most) {
    Owned<rd_kafka_AdminOptions_t> options{rd_kafka_AdminOptions_new(handle, operation)};
    std::array<char, reason_bytes> reason{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds(at_most), reason.data(),
                                              reason.size());
    if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS) {
        rd_kafka_AdminOptions_set_operation_timeout(options.get(), milliseconds(at_most),
                                                    reason.data(), reason.size());
    }
    return options;
}

Owned<rd_kafka_event_t> answer(rd_kafka_queue_t* queue, Duration at_most, const std::string& what) {
    constexpr Duration grace = std::chrono::seconds{2};
    Owned<rd_kafka_event_t> event{
        rd_kafka_queue_poll(queue, milliseconds(at_most) + milliseconds(grace))};
    if (!event) throw Silent(silence(what, "timed out"));
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw Silent(silence(what, rd_kafka_event_error_string(event.get())));
    }
    return event;
}

}  // namespace

struct Admin::Parts {
    Handle handle;

    Owned<const rd_kafka_metadata_t> metadata(rd_kafka_topic_t* topic, const std::string& what,
                                              Duration at_most) {
        Owned<const rd_kafka_metadata_t> found;
        const auto error = ask_patiently(handle.get(), at_most, [&](int wait) {
            const rd_kafka_metadata_t* answer = nullptr;
            const auto failed = rd_kafka_metadata(handle.get(), 0, topic, &answer, wait);
            found.reset(answer);
            if (failed != RD_KAFKA_RESP_ERR_NO_ERROR || topic == nullptr) return failed;
            const auto told = answer->topics[0].err;
            return passes(told) ? told : RD_KAFKA_RESP_ERR_NO_ERROR;
        });
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return found;
        throw Unavailable(what + ": no broker answers: " + explain_silence(handle.get(), error));
    }

    /// Of a topic; it has no partitions when there is none.
    Owned<const rd_kafka_metadata_t> look(rd_kafka_topic_t* topic, const std::string& name,
                                          Duration at_most) {
        const std::string what = "topic " + name;
        auto found = metadata(topic, what, at_most);
        const auto error = found->topics[0].err;
        if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
            throw Unavailable(what + " cannot be looked at: " + explain(error) +
                              "; allow this client to describe it");
        }
        return found;
    }

    std::map<std::string, std::string> configs(const std::string& topic, Duration at_most) {
        const std::string what = "topic " + topic;
        Owned<rd_kafka_queue_t> queue{rd_kafka_queue_new(handle.get())};
        const auto options = options_for(handle.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, at_most);
        Owned<rd_kafka_ConfigResource_t> resource{
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())};
        std::array<rd_kafka_ConfigResource_t*, 1> resources{resource.get()};
        rd_kafka_DescribeConfigs(handle.get(), resources.data(), resources.size(), options.get(),
                                 queue.get());
        const auto event = answer(queue.get(), at_most, what);
        std::size_t count = 0;
        const auto* described = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event.get()), &count);
        std::map<std::string, std::string> found;
        if (count == 0) return found;
        if (rd_kafka_ConfigResource_error(described[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw Unavailable(silence(what, rd_kafka_ConfigResource_error_string(described[0])));
        }
        std::size_t entries = 0;
        const auto* configs = rd_kafka_ConfigResource_configs(described[0], &entries);
        for (std::size_t index = 0; index < entries; ++index) {
            const char* value = rd_kafka_ConfigEntry_value(configs[index]);
            if (value != nullptr) found[rd_kafka_ConfigEntry_name(configs[index])] = value;
        }
        return found;
    }
};

Admin::Admin(const Settings& settings) : parts_(std::make_unique<Parts>()) {
    // A consumer's handle: a producer's would let the broker make a topic merely by asking for it.
    parts_->handle = make_handle(RD_KAFKA_CONSUMER,
                                 make_conf(settings, {{"allow.auto.create.topics", "false"}}));
}

Admin::~Admin() = default;

std::int32_t Admin::brokers(Duration at_most) {
    return parts_->metadata(nullptr, "cluster", at_most)->broker_cnt;
}

bool Admin::ready(const std::string& topic, Duration at_most) {
    const auto handle = make_topic(parts_->handle.get(), topic);
    const auto metadata = parts_->look(handle.get(), topic, at_most);
    const auto& found = metadata->topics[0];
    if (found.partition_cnt == 0) return false;
    return std::all_of(found.partitions, found.partitions + found.partition_cnt,
                       [](const auto& partition) { return partition.leader >= 0; });
}

std::optional<TopicSpec> Admin::describe(const std::string& topic, Duration at_most) {
    const auto handle = make_topic(parts_->handle.get(), topic);
    TopicSpec spec;
    for (Patience patience{at_most};;) {
        // Looked at again, this tells also who controls the cluster now.
        const auto metadata = parts_->look(handle.get(), topic, at_most);
        const auto& found = metadata->topics[0];
        if (found.partition_cnt == 0) return std::nullopt;
        spec.name = topic;
        spec.partitions = found.partition_cnt;
        const auto* const fewest = std::min_element(
            found.partitions, found.partitions + found.partition_cnt,
            [](const auto& l, const auto& r) { return l.replica_cnt < r.replica_cnt; });
        spec.replication = static_cast<std::int16_t>(fewest->replica_cnt);
        try {
            spec.configs = parts_->configs(topic, patience.next());
            return spec;
        } catch (const Silent&) {
            if (!patience.again(parts_->handle.get())) throw;
        }
    }
}

bool Admin::create(const TopicSpec& spec, Duration at_most) {
    std::array<char, reason_bytes> reason{};
    Owned<rd_kafka_NewTopic_t> topic{rd_kafka_NewTopic_new(
        spec.name.c_str(), spec.partitions, spec.replication, reason.data(), reason.size())};
    if (!topic) {
        throw InvalidArgument("topic " + spec.name + " cannot be made: " + reason.data() +
                              "; check name, partitions and replication");
    }
    for (const auto& [name, value] : spec.configs) {
        rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
    }
    Owned<rd_kafka_queue_t> queue{rd_kafka_queue_new(parts_->handle.get())};
    const auto options = options_for(parts_->handle.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, at_most);
    std::array<rd_kafka_NewTopic_t*, 1> topics{topic.get()};
    rd_kafka_CreateTopics(parts_->handle.get(), topics.data(), topics.size(), options.get(),
                          queue.get());
    const auto event = answer(queue.get(), at_most, "topic " + spec.name);
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    if (count == 0) return true;
    const auto error = rd_kafka_topic_result_error(results[0]);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return false;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (passes(error) || error == RD_KAFKA_RESP_ERR_NOT_CONTROLLER ||
            error == RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED) {
            throw Unavailable("topic " + spec.name + " could not be made now: " + explain(error) +
                              "; try again");
        }
        const char* text = rd_kafka_topic_result_error_string(results[0]);
        if (error == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR) {
            throw Unavailable(
                "topic " + spec.name + " cannot have " + std::to_string(spec.replication) +
                " replicas: " + (text != nullptr ? std::string{text} : explain(error)) +
                "; start the brokers that are away, or ask for fewer replicas");
        }
        throw Mismatch("topic " + spec.name + " was refused by the brokers: " +
                       (text != nullptr ? std::string{text} : explain(error)) +
                       "; change the options or ask who may create topics there");
    }
    return true;
}

}  // namespace recount::kafka
