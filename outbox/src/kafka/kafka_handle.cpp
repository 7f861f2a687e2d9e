#include "kafka/kafka_handle.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount::kafka {
namespace {

constexpr std::size_t error_bytes = 512;

spdlog::level::level_enum level_of(int syslog_level) {
    if (syslog_level <= 3) return spdlog::level::err;
    if (syslog_level == 4) return spdlog::level::warn;
    if (syslog_level <= 6) return spdlog::level::info;
    return spdlog::level::debug;
}

void forward_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
    // Its remarks on settings that we chose knowing them.
    if (std::string_view{facility} == "CONFWARN") level = 7;
    spdlog::log(level_of(level), "kafka {}: {}", facility, text);
}

/// Connection errors come here; librdkafka goes on trying by itself.
void forward_error(rd_kafka_t*, int error, const char* reason, void*) {
    spdlog::warn("kafka: {} ({})", reason,
                 rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error)));
}

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
    std::array<char, error_bytes> reason{};
    const auto result =
        rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size());
    if (result == RD_KAFKA_CONF_OK) return;
    throw InvalidArgument("Kafka property " + name + " is " +
                          (result == RD_KAFKA_CONF_UNKNOWN ? "not known" : "not valid") +
                          "; see librdkafka's CONFIGURATION.md");
}

}  // namespace

Conf make_conf(const Settings& settings, const Settings& forced) {
    Conf conf{rd_kafka_conf_new()};
    // Small requests answered one by one are what latency is made of.
    set(conf.get(), "socket.nagle.disable", "true");
    set(conf.get(), "socket.keepalive.enable", "true");
    set(conf.get(), "reconnect.backoff.max.ms", "1000");
    for (const auto& [name, value] : settings) set(conf.get(), name, value);
    for (const auto& [name, value] : forced) set(conf.get(), name, value);
    rd_kafka_conf_set_log_cb(conf.get(), forward_log);
    rd_kafka_conf_set_error_cb(conf.get(), forward_error);
    return conf;
}

Handle make_handle(rd_kafka_type_t type, Conf conf) {
    std::array<char, error_bytes> reason{};
    Handle handle{rd_kafka_new(type, conf.get(), reason.data(), reason.size())};
    if (!handle) {
        throw InvalidArgument(std::string{"Kafka client cannot be set up: "} + reason.data() +
                              "; check the RECOUNT_KAFKA_* settings");
    }
    static_cast<void>(conf.release());  // the handle owns it from here
    return handle;
}

TopicHandle make_topic(rd_kafka_t* handle, const std::string& name) {
    TopicHandle topic{rd_kafka_topic_new(handle, name.c_str(), nullptr)};
    if (!topic) {
        throw InvalidArgument("topic " + name + " cannot be opened: " +
                              explain(rd_kafka_last_error()) + "; check its name");
    }
    return topic;
}

int milliseconds(Duration duration) {
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    return static_cast<int>(std::clamp<std::int64_t>(count, 1, 600'000));
}

std::string explain(rd_kafka_resp_err_t error) {
    return std::string{rd_kafka_err2str(error)} + " (" + rd_kafka_err2name(error) + ")";
}

}  // namespace recount::kafka
