#pragma once

/// The only header that includes librdkafka; for the sources of this folder alone.

#include <functional>
#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include <recount/core/environment.hpp>

#include "kafka/settings.hpp"

namespace recount::kafka {

struct ConfDelete {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, ConfDelete>;

struct HandleDelete {
    void operator()(rd_kafka_t* handle) const;
};
using Handle = std::unique_ptr<rd_kafka_t, HandleDelete>;

struct TopicDelete {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, TopicDelete>;

/// Settings as librdkafka takes them, `forced` over the others; its log goes to ours.
/// Throws InvalidArgument that names the property, never its value.
Conf make_conf(const Settings& settings, const Settings& forced);

Handle make_handle(rd_kafka_type_t type, Conf conf);
TopicHandle make_topic(rd_kafka_t* handle, const std::string& name);

/// For librdkafka's blocking calls, which take milliseconds; at least one.
int milliseconds(Duration duration);

/// Whether a broker answers otherwise a moment later: it does not know of a new topic yet, or a
/// partition changes its leader.
bool passes(rd_kafka_resp_err_t error);

/// The time for an answer, in growing parts: a request that went to a broker that is gone waits for
/// that one, whoever took over meanwhile, so it is made again.
class Patience {
public:
    explicit Patience(Duration at_most);
    /// For how long the next request may wait.
    [[nodiscard]] Duration next();
    /// Waits a moment; false when no time is left for another.
    [[nodiscard]] bool again(rd_kafka_t* handle) const;

private:
    std::chrono::nanoseconds until_;
    Duration part_ = std::chrono::seconds{1};
};

/// Asks, each time for so many milliseconds, until there is an answer that does not pass, or the
/// time is over.
rd_kafka_resp_err_t ask_patiently(rd_kafka_t* handle, Duration at_most,
                                  const std::function<rd_kafka_resp_err_t(int wait)>& ask);

/// "text (NAME)".
std::string explain(rd_kafka_resp_err_t error);

/// Why no broker answers and what to do, for messages of Unavailable: what `error` says, or which
/// broker refused the user, its certificate, or how it is spoken to.
std::string explain_silence(rd_kafka_t* handle, rd_kafka_resp_err_t error);

}  // namespace recount::kafka
