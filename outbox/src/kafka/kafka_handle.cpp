#include "kafka/kafka_handle.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>

namespace recount::kafka {
namespace {

constexpr std::size_t error_bytes = 512;
constexpr std::chrono::milliseconds longest_answer = std::chrono::minutes{10};

spdlog::level::level_enum level_of(int syslog_level) {
    if (syslog_level <= 3) return spdlog::level::err;
    if (syslog_level == 4) return spdlog::level::warn;
    if (syslog_level <= 6) return spdlog::level::info;
    return spdlog::level::debug;
}

void forward_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
    // Its remarks on settings that we chose knowing them.
    if (std::string_view{facility} == "CONFWARN") level = 7;
    spdlog::log(level_of(level), "kafka {}: {}", facility, without_secret(facility, text));
}

/// What each client was refused for, which the error of the call that waits does not say.
class Refusals {
public:
    static Refusals& all() {
        // Never destroyed: a client may end late.
        static Refusals& refusals = *new Refusals;
        return refusals;
    }

    void put(const rd_kafka_t* handle, int error, std::string_view reason) {
        const char* advice = nullptr;
        if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
            advice = "check user and password (RECOUNT_KAFKA_SASL_…)";
        } else if (error == RD_KAFKA_RESP_ERR__SSL) {
            advice = "check the certificates (RECOUNT_KAFKA_SSL_…)";
        } else if (reason.find("security.protocol") != std::string_view::npos) {
            advice = "check RECOUNT_KAFKA_SECURITY_PROTOCOL";
        } else {
            return;
        }
        const std::lock_guard lock{mutex_};
        texts_[handle] = std::string{reason} + "; " + advice;
    }

    std::string take(const rd_kafka_t* handle) {
        const std::lock_guard lock{mutex_};
        const auto found = texts_.extract(handle);
        return found ? std::move(found.mapped()) : std::string{};
    }

private:
    std::mutex mutex_;
    std::map<const rd_kafka_t*, std::string> texts_;
};

/// Connection errors come here; librdkafka goes on trying by itself.
void forward_error(rd_kafka_t* handle, int error, const char* text, void*) {
    const std::string_view reason = without_secret("ERROR", text);
    spdlog::warn("kafka: {} ({})", reason,
                 rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error)));
    Refusals::all().put(handle, error, reason);
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

namespace {

/// Nobody waits for it any more.
void leave(std::unique_ptr<Task> task) {
    static auto& mutex = *new std::mutex;
    static auto& left = *new std::vector<std::unique_ptr<Task>>;
    const std::lock_guard lock{mutex};
    left.push_back(std::move(task));
}

}  // namespace

/// librdkafka 2.0.2 waits without end for a consumer whose topic was deleted while it fetched: its
/// broker's thread keeps a reference to the partition. One that does not end is left to itself;
/// nothing of it calls back, as its queues have been told.
void HandleDelete::operator()(rd_kafka_t* handle) const {
    constexpr std::chrono::seconds patience{2};
    const auto destroy = [handle] {
        rd_kafka_destroy(handle);
        Refusals::all().take(handle);
    };
    if (rd_kafka_type(handle) != RD_KAFKA_CONSUMER) return destroy();
    auto gone = std::make_shared<std::promise<void>>();
    const std::future<void> ended = gone->get_future();
    auto ending =
        Environment::system().scheduler.spawn("kafka-end", [destroy, gone](const std::stop_token&) {
            destroy();
            gone->set_value();
        });
    if (ended.wait_for(patience) == std::future_status::ready) return;
    leave(std::move(ending));
    spdlog::warn("a Kafka client does not end, as after its topic was deleted; it is left alone");
}

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
    return static_cast<int>(std::clamp<std::int64_t>(count, 1, longest_answer.count()));
}

bool passes(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
        case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
        case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
        case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            return true;
        default:
            return false;
    }
}

Patience::Patience(Duration at_most)
    : until_(Environment::system().clock.steady() + std::min<Duration>(at_most, longest_answer)) {}

Duration Patience::next() {
    const auto left = std::chrono::ceil<Duration>(until_ - Environment::system().clock.steady());
    return std::min(left, std::exchange(part_, part_ * 2));
}

bool Patience::again(rd_kafka_t* handle) const {
    constexpr Duration look_again = std::chrono::milliseconds{50};
    if (Environment::system().clock.steady() + look_again > until_) return false;
    rd_kafka_poll(handle, milliseconds(look_again));
    return true;
}

rd_kafka_resp_err_t ask_patiently(rd_kafka_t* handle, Duration at_most,
                                  const std::function<rd_kafka_resp_err_t(int wait)>& ask) {
    for (Patience patience{at_most};;) {
        const rd_kafka_resp_err_t error = ask(milliseconds(patience.next()));
        const bool silent =
            error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT;
        if (!(silent || passes(error)) || !patience.again(handle)) return error;
    }
}

std::string explain(rd_kafka_resp_err_t error) {
    return std::string{rd_kafka_err2str(error)} + " (" + rd_kafka_err2name(error) + ")";
}

std::string explain_silence(rd_kafka_t* handle, rd_kafka_resp_err_t error) {
    rd_kafka_poll(handle, 0);  // has errors told
    const std::string refusal = Refusals::all().take(handle);
    if (!refusal.empty()) return refusal;
    return explain(error) + "; check the brokers' addresses and that they run";
}

}  // namespace recount::kafka
