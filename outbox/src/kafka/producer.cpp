#include "kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <recount/core/error.hpp>

#include "kafka/kafka_handle.hpp"

namespace recount::kafka {
namespace {

Settings forced(const ProducerOptions& options) {
    const auto linger = std::chrono::duration<double, std::milli>{options.linger}.count();
    return {
        {"allow.auto.create.topics", "false"},  // else brokers make what was deleted, or misspelt
        {"enable.idempotence", "true"},         // acks=all, five in flight, retried for ever
        {"message.timeout.ms", "0"},            // an expired message would be a hole in the middle
        {"enable.gapless.guarantee", "true"},   // behind a failed batch nothing more is sent
        {"linger.ms", std::to_string(linger)},
        {"message.max.bytes", std::to_string(std::max<std::int64_t>(options.record_bytes, 1000))},
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", "131072"},
    };
}

Settings with_defaults(Settings settings) {
    settings.emplace("topic.metadata.refresh.interval.ms", "30000");
    settings.emplace("retry.backoff.ms", "50");
    return settings;
}

Fate fate_of(const rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return Fate::delivered;
    return rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
               ? Fate::not_persisted
               : Fate::possibly_persisted;
}

bool too_large(rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           error == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
           error == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

void told(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    const auto& on_delivery = *static_cast<std::function<void(const Delivery&)>*>(opaque);
    Delivery delivery;
    delivery.ticket = reinterpret_cast<std::uintptr_t>(message->_private);
    delivery.partition = message->partition;
    delivery.offset = message->offset;
    delivery.fate = fate_of(message);
    if (delivery.fate != Fate::delivered) {
        delivery.too_large = too_large(message->err);
        delivery.error = rd_kafka_err2str(message->err);
    }
    on_delivery(delivery);
}

}  // namespace

struct Producer::Parts {
    std::function<void(const Delivery&)> on_delivery;  // outlives the handle, which calls it
    Handle handle;
    std::map<std::string, TopicHandle> topics;

    rd_kafka_topic_t* topic(const std::string& name) {
        auto found = topics.find(name);
        if (found == topics.end()) {
            found = topics.emplace(name, make_topic(handle.get(), name)).first;
        }
        return found->second.get();
    }
};

Producer::Producer(const Settings& settings, const ProducerOptions& options,
                   std::function<void(const Delivery&)> on_delivery)
    : parts_(std::make_unique<Parts>()) {
    parts_->on_delivery = std::move(on_delivery);
    Conf conf = make_conf(with_defaults(settings), forced(options));
    rd_kafka_conf_set_opaque(conf.get(), &parts_->on_delivery);
    rd_kafka_conf_set_dr_msg_cb(conf.get(), told);
    parts_->handle = make_handle(RD_KAFKA_PRODUCER, std::move(conf));
}

Producer::~Producer() {
    parts_->on_delivery = [](const Delivery&) {};
    rd_kafka_purge(parts_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                             RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_poll(parts_->handle.get(), 0);
    parts_->topics.clear();
}

bool Producer::produce(const std::string& topic, const Message& message, std::uint64_t ticket) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& header : message.headers) {
        rd_kafka_header_add(headers, header.name.data(),
                            static_cast<std::int64_t>(header.name.size()), header.value.data(),
                            static_cast<std::int64_t>(header.value.size()));
    }
    const auto time = std::chrono::floor<std::chrono::milliseconds>(message.time);
    // An empty view's pointer may be null, which would make the value null instead of empty.
    const char* value = !message.value           ? nullptr
                        : message.value->empty() ? ""
                                                 : message.value->data();
    std::array<rd_kafka_vu_t, 8> units{};
    units[0].vtype = RD_KAFKA_VTYPE_RKT;
    units[0].u.rkt = parts_->topic(topic);
    units[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    units[1].u.i32 = message.partition;
    units[2].vtype = RD_KAFKA_VTYPE_KEY;
    units[2].u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
    units[3].vtype = RD_KAFKA_VTYPE_VALUE;
    units[3].u.mem = {const_cast<char*>(value), message.value ? message.value->size() : 0};
    units[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    units[4].u.i64 = time.time_since_epoch().count();
    units[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    units[5].u.headers = headers;
    units[6].vtype = RD_KAFKA_VTYPE_OPAQUE;
    units[6].u.ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(ticket));
    units[7].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    units[7].u.i = RD_KAFKA_MSG_F_COPY;
    rd_kafka_error_t* error = rd_kafka_produceva(parts_->handle.get(), units.data(), units.size());
    if (error == nullptr) return true;

    rd_kafka_headers_destroy(headers);  // still ours when the call failed
    const auto code = rd_kafka_error_code(error);
    const std::string reason = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    const std::string what = "topic " + topic + ": a message for partition " +
                             std::to_string(message.partition) + " cannot be sent: " + reason;
    if (code == RD_KAFKA_RESP_ERR__INVALID_ARG || too_large(code)) {
        throw InvalidArgument(what +
                              "; raise the relay's record_bytes and the topic's max.message.bytes");
    }
    throw Unavailable(what + "; check the topic and who may write to it");
}

void Producer::poll(Duration at_most) {
    const int wait = at_most <= Duration::zero() ? 0 : milliseconds(at_most);
    rd_kafka_poll(parts_->handle.get(), wait);
}

bool Producer::flush(Duration at_most) {
    return rd_kafka_flush(parts_->handle.get(), milliseconds(at_most)) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::optional<std::string> Producer::fatal_error() const {
    std::array<char, 512> reason{};
    const auto code = rd_kafka_fatal_error(parts_->handle.get(), reason.data(), reason.size());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    return std::string{reason.data()};
}

void Producer::break_for_test() {
    rd_kafka_test_fatal_error(parts_->handle.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "broken by a test");
}

}  // namespace recount::kafka
