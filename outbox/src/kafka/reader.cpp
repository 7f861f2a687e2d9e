#include "kafka/reader.hpp"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <recount/core/error.hpp>

#include "kafka/kafka_handle.hpp"

namespace recount::kafka {
namespace {

const Settings forced = {
    {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},        {"check.crcs", "true"},
    {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
    {"allow.auto.create.topics", "false"},
};

/// An open transaction of a foreign producer hides what is behind it from readers, but not from
/// those who ask whether something was lost.
Settings not_blinded() {
    Settings settings = forced;
    settings["isolation.level"] = "read_uncommitted";
    return settings;
}

Settings with_defaults(Settings settings) {
    // For each partition by itself: librdkafka pauses a second whenever it is above.
    settings.emplace("queued.max.messages.kbytes", "16384");
    settings.emplace("queued.min.messages", "100000");
    // A partition that is newly read waits for the fetch under way to end.
    settings.emplace("fetch.wait.max.ms", "50");
    settings.emplace("fetch.error.backoff.ms", "50");
    settings.emplace("topic.metadata.refresh.interval.ms", "30000");
    return settings;
}

std::string where(const std::string& topic, std::int32_t partition) {
    return "topic " + topic + " partition " + std::to_string(partition) + ": ";
}

struct QueueDelete {
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};

struct ListDelete {
    void operator()(rd_kafka_topic_partition_list_t* list) const {
        rd_kafka_topic_partition_list_destroy(list);
    }
};
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDelete>;

constexpr std::size_t most_at_once = 256;

/// A partition that is being fetched, and what was taken of it in one go, because librdkafka's call
/// costs more than what it does for one record.
struct Fetching {
    std::unique_ptr<rd_kafka_queue_t, QueueDelete> queue;
    std::vector<rd_kafka_message_t*> taken;  // from `next` on ours to destroy
    std::size_t next = 0;

    Fetching() = default;
    Fetching(Fetching&&) = default;
    Fetching& operator=(Fetching&&) = delete;
    ~Fetching() {
        while (rd_kafka_message_t* message = pop()) rd_kafka_message_destroy(message);
    }

    rd_kafka_message_t* pop() { return next == taken.size() ? nullptr : taken[next++]; }

    rd_kafka_message_t* take(int wait) {
        if (rd_kafka_message_t* message = pop()) return message;
        taken.resize(most_at_once);
        next = 0;
        // With more time than none it would wait until all places are taken.
        const auto count = rd_kafka_consume_batch_queue(queue.get(), 0, taken.data(), taken.size());
        taken.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        if (rd_kafka_message_t* message = pop()) return message;
        return wait == 0 ? nullptr : rd_kafka_consume_queue(queue.get(), wait);
    }
};

/// Questions on the fetching connection would wait for the fetch under way.
struct Asking {
    Asking(const Settings& settings, const std::string& name)
        : handle(make_handle(RD_KAFKA_CONSUMER, make_conf(with_defaults(settings), not_blinded()))),
          topic(make_topic(handle.get(), name)) {}
    Handle handle;
    TopicHandle topic;
};

}  // namespace

struct Reader::Parts {
    Parts(const Settings& settings, const std::string& name, std::function<void()> told,
          std::shared_ptr<Asking> ask_by)
        : on_arrival(std::move(told)),
          handle(make_handle(RD_KAFKA_CONSUMER, make_conf(with_defaults(settings), forced))),
          topic(make_topic(handle.get(), name)),
          asking(std::move(ask_by)) {}

    std::function<void()> on_arrival;
    Handle handle;
    TopicHandle topic;
    std::shared_ptr<Asking> asking;
    std::mutex mutex;  // of started
    std::map<std::int32_t, Fetching> started;

    /// Stays where it is while its partition's one thread does not stop it.
    Fetching* find(std::int32_t partition) {
        std::lock_guard lock{mutex};
        const auto found = started.find(partition);
        return found == started.end() ? nullptr : &found->second;
    }
};

Reader::Reader(const Settings& settings, std::string topic, std::function<void()> on_arrival)
    : topic_(std::move(topic)),
      parts_(std::make_unique<Parts>(settings, topic_, std::move(on_arrival),
                                     std::make_shared<Asking>(settings, topic_))) {}

Reader::Reader(const Settings& settings, const Reader& other, std::function<void()> on_arrival)
    : topic_(other.topic_),
      parts_(
          std::make_unique<Parts>(settings, topic_, std::move(on_arrival), other.parts_->asking)) {}

Reader::~Reader() {
    for (const auto& [partition, fetching] : parts_->started) {
        rd_kafka_queue_cb_event_enable(fetching.queue.get(), nullptr, nullptr);
        rd_kafka_consume_stop(parts_->topic.get(), partition);
    }
    parts_->started.clear();
    parts_->topic.reset();
}

void Reader::stop(std::int32_t partition) {
    std::map<std::int32_t, Fetching>::node_type stopped;
    {
        std::lock_guard lock{parts_->mutex};
        stopped = parts_->started.extract(partition);
    }
    if (!stopped) return;
    rd_kafka_queue_cb_event_enable(stopped.mapped().queue.get(), nullptr, nullptr);
    rd_kafka_consume_stop(parts_->topic.get(), partition);
}

void Reader::move(std::int32_t partition, std::int64_t offset) {
    // Begun anew rather than sought: rd_kafka_seek needs a partition that is already being fetched.
    stop(partition);
    Fetching fetching;
    fetching.queue.reset(
        rd_kafka_queue_get_partition(parts_->handle.get(), topic_.c_str(), partition));
    if (rd_kafka_consume_start(parts_->topic.get(), partition, offset) != 0) {
        throw Unavailable(where(topic_, partition) + "cannot be read: " +
                          explain(rd_kafka_last_error()) + "; check the topic, then try again");
    }
    if (parts_->on_arrival) {
        rd_kafka_queue_cb_event_enable(
            fetching.queue.get(),
            [](rd_kafka_t*, void* opaque) { static_cast<Parts*>(opaque)->on_arrival(); },
            parts_.get());
    }
    std::lock_guard lock{parts_->mutex};
    parts_->started.emplace(partition, std::move(fetching));
}

Polled Reader::poll(std::int32_t partition, Duration at_most) {
    Polled polled;
    Fetching* fetching = parts_->find(partition);
    if (fetching == nullptr) return polled;
    rd_kafka_message_t* message =
        fetching->take(at_most <= Duration::zero() ? 0 : milliseconds(at_most));
    if (message == nullptr) return polled;
    Record record{message};
    switch (message->err) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            polled.kind = Polled::Kind::record;
            polled.record = std::move(record);
            return polled;
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            polled.kind = Polled::Kind::end;
            polled.end = record.offset();
            return polled;
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            polled.kind = Polled::Kind::lost;
            return polled;
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            throw Mismatch(where(topic_, partition) +
                           "is not there (any more); create it and let the relay fill it");
        default:
            throw Unavailable(where(topic_, partition) +
                              "cannot be read: " + explain(message->err) + "; it is tried again");
    }
}

std::optional<Record> Reader::record_at(std::int32_t partition, std::int64_t offset,
                                        Duration at_most) {
    move(partition, offset);
    Polled polled = poll(partition, at_most);
    stop(partition);
    if (polled.kind == Polled::Kind::nothing) {
        throw Unavailable(where(topic_, partition) +
                          "no broker answers; check that its leader runs");
    }
    if (!polled.record || polled.record->offset() != offset) return std::nullopt;
    return std::move(polled.record);
}

Watermarks Reader::watermarks(std::int32_t partition, Duration at_most) {
    // Not rd_kafka_query_watermark_offsets(): it heeds its time limit only once a broker has
    // answered.
    const auto ask = [&](std::int64_t which) {
        const Partitions list{rd_kafka_topic_partition_list_new(1)};
        rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition);
        auto& answer = list->elems[0];
        const auto error = ask_patiently(parts_->asking->handle.get(), at_most, [&](int wait) {
            answer.offset = which;
            answer.err = RD_KAFKA_RESP_ERR_NO_ERROR;
            const auto failed =
                rd_kafka_offsets_for_times(parts_->asking->handle.get(), list.get(), wait);
            return failed == RD_KAFKA_RESP_ERR_NO_ERROR ? answer.err : failed;
        });
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return answer.offset;
        throw Unavailable(where(topic_, partition) + "does not tell its offsets: " +
                          explain_silence(parts_->asking->handle.get(), error));
    };
    Watermarks marks;
    marks.low = ask(RD_KAFKA_OFFSET_BEGINNING);
    marks.high = ask(RD_KAFKA_OFFSET_END);
    return marks;
}

std::int64_t Reader::fetched_high(std::int32_t partition) const {
    std::int64_t low = 0;
    std::int64_t high = -1;
    const auto error = rd_kafka_get_watermark_offsets(parts_->handle.get(), topic_.c_str(),
                                                      partition, &low, &high);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1;
}

std::int32_t Reader::partitions(Duration at_most) {
    std::int32_t count = 0;
    bool answered = false;
    const auto error = ask_patiently(parts_->asking->handle.get(), at_most, [&](int wait) {
        const rd_kafka_metadata_t* metadata = nullptr;
        const auto failed = rd_kafka_metadata(parts_->asking->handle.get(), 0,
                                              parts_->asking->topic.get(), &metadata, wait);
        answered = failed == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (!answered) return failed;
        count = metadata->topics[0].partition_cnt;
        const auto told = metadata->topics[0].err;
        rd_kafka_metadata_destroy(metadata);
        return told;
    });
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && count > 0) return count;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        throw Mismatch("topic " + topic_ +
                       " does not exist; create it with create_topics() or "
                       "`recount topic create`");
    }
    if (answered && !passes(error)) {
        throw Mismatch("topic " + topic_ + " cannot be looked at: " + explain(error) +
                       "; ask who may read it there");
    }
    throw Unavailable("topic " + topic_ + ": no broker answers: " +
                      explain_silence(parts_->asking->handle.get(), error));
}

}  // namespace recount::kafka
