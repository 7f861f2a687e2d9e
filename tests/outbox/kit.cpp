#include "outbox/kit.hpp"

#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>

#include <google/protobuf/wrappers.pb.h>

#include <map>

#include "kafka/reader.hpp"
#include "support/servers.hpp"

namespace recount::test {

KafkaTopic own_topic() { return {.brokers = kafka_brokers(), .name = unique_name("outbox-")}; }

KafkaTopic own_topic_for(const EventStore& store) {
    auto topic = own_topic();
    create_topics(topic, {.partitions = store.identity().partitions});
    return topic;
}

std::string largest_source() { return "//" + std::string(1022, 's'); }

Append largest_append() {
    const AppendLimits limits;
    const std::string id(255, 'i');
    Append append;
    std::string trace = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-";
    trace.resize(id.size(), 't');  // of a later version, which may say more
    append.metadata = {id, id, id, trace, {}, std::nullopt};
    std::size_t left = limits.metadata_bytes - 3 * id.size();
    for (std::size_t entry = limits.metadata_entries; entry > 0; --entry) {
        std::string name = "h" + std::to_string(entry);
        const std::size_t share = left / entry;
        append.metadata.headers[name] = std::string(share - name.size(), 'v');
        left -= share;
    }
    StorePositions seen{new_uuid7(), new_uuid7(), Positions{760}};
    for (std::int32_t number = 0; number < 760; ++number) {
        seen.positions.set({Partition{number}, std::int64_t{1} << 55});
    }
    append.after.push_back(std::move(seen));
    append.writes.push_back({StreamName{"thing", std::string(249, 'n')},
                             Expected::any(),
                             {NewEvent{std::string(255, 't'), std::string(limits.event_bytes, 'p'),
                                       "sealed:" + std::string(248, 'k')}}});
    append.request = request_hash(append);
    return append;
}

void append_events(EventStore& store, int count, int streams, std::string_view category,
                   std::size_t payload_bytes) {
    static int round = 0;
    ++round;
    std::vector<Append> group;
    for (int index = 0; index < count; ++index) {
        google::protobuf::StringValue value;
        std::string text = std::to_string(round) + "/" + std::to_string(index) + " ";
        text.resize(std::max(payload_bytes, text.size()), 'x');
        value.set_value(text);
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        append.metadata.correlation_id = "round " + std::to_string(round);
        append.metadata.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        append.writes.push_back({StreamName{category, std::to_string(index % streams)},
                                 Expected::any(),
                                 {new_event(value)}});
        append.request = request_hash(append);
        group.push_back(std::move(append));
        if (group.size() == 200 || index + 1 == count) {
            for (auto& result : store.append(group)) static_cast<void>(accepted(result));
            group.clear();
        }
    }
}

std::string RawRecord::header(std::string_view name) const {
    for (const auto& [its_name, its_value] : headers) {
        if (its_name == name) return its_value;
    }
    return "";
}

std::vector<RawRecord> read_raw(const KafkaTopic& topic, const std::string& full_name,
                                std::int32_t partition) {
    kafka::Reader reader{kafka::client_settings(topic), full_name};
    const auto marks = reader.watermarks(partition, std::chrono::seconds{20});
    std::vector<RawRecord> records;
    if (marks.low >= marks.high) return records;
    reader.move(partition, marks.low);
    for (int patience = 0; patience < 200;) {
        const auto polled = reader.poll(partition, std::chrono::milliseconds{100});
        if (polled.kind == kafka::Polled::Kind::end) return records;
        if (polled.kind != kafka::Polled::Kind::record) {
            ++patience;
            continue;
        }
        RawRecord record{polled.record->offset(),
                         std::string{polled.record->key()},
                         {},
                         {},
                         polled.record->time()};
        if (const auto value = polled.record->value()) record.value = std::string{*value};
        polled.record->each_header([&](std::string_view name, std::string_view value) {
            record.headers.emplace_back(name, value);
        });
        records.push_back(std::move(record));
        if (records.back().offset == marks.high - 1) return records;
    }
    throw std::runtime_error("topic " + full_name + " cannot be read");
}

namespace {

/// One partition of the oracle.
class Oracle {
public:
    Oracle(const std::vector<RecordedEvent>& events, bool repaired)
        : events_(events), repaired_(repaired) {}

    std::string take(const RawRecord& record) {
        const std::string position = record.header("recount-position");
        if (position.empty()) return "";  // foreign
        const auto n = std::stoll(position.substr(position.find(':') + 1));
        if (n > have_ + 1 && !repaired_)
            return "gap: " + position + " behind " + std::to_string(have_);
        if (n > static_cast<std::int64_t>(events_.size())) return "invented: " + position;
        const RecordedEvent& event = events_[static_cast<std::size_t>(n - 1)];
        if (record.header("recount-hash") != to_string(event.hash)) return "hash: " + position;
        if (record.header("recount-envelope") != event.envelope) return "envelope: " + position;
        if (record.key != event.at.stream.full()) return "key: " + position;
        if (record.header("recount-withheld").empty() && record.value != event.payload) {
            return "payload: " + position;
        }
        if (n <= have_) ++replays;
        if (n == have_ + 1) have_ = n;
        return "";
    }

    std::int64_t replays = 0;
    [[nodiscard]] std::int64_t have() const { return have_; }

private:
    const std::vector<RecordedEvent>& events_;
    bool repaired_;
    std::int64_t have_ = 0;
};

}  // namespace

std::vector<std::vector<RecordedEvent>> read_all(Log& log, std::size_t page_size) {
    std::vector<std::vector<RecordedEvent>> all;
    for (std::int32_t number = 0; number < log.identity().partitions; ++number) {
        auto& events = all.emplace_back();
        while (true) {
            auto page = log.read(Partition{number}, static_cast<std::int64_t>(events.size()),
                                 {.max_events = page_size});
            for (auto& event : page.events) events.push_back(std::move(event));
            if (page.end) break;
        }
    }
    return all;
}

std::string differences(EventStore& store, const KafkaTopic& topic, const OracleOptions& options,
                        std::int64_t* replays) {
    const auto all = read_all(store);
    if (replays != nullptr) *replays = 0;
    for (std::size_t number = 0; number < all.size(); ++number) {
        Oracle oracle{all[number], options.repaired};
        const auto partition = static_cast<std::int32_t>(number);
        for (const auto& record : read_raw(topic, topic.log(options.incarnation), partition)) {
            const auto wrong = oracle.take(record);
            if (!wrong.empty()) return wrong;
        }
        if (replays != nullptr) *replays += oracle.replays;
        if (options.complete && oracle.have() != static_cast<std::int64_t>(all[number].size())) {
            return "partition " + std::to_string(number) + " ends at " +
                   std::to_string(oracle.have()) + ", the store at " +
                   std::to_string(all[number].size());
        }
    }
    return "";
}

std::string differences(EventStore& store, Log& log) {
    const auto expected = read_all(store);
    const auto found = read_all(log);
    if (expected.size() != found.size()) return "number of partitions";
    for (std::size_t number = 0; number < expected.size(); ++number) {
        if (expected[number].size() != found[number].size()) {
            return "partition " + std::to_string(number) + ": " +
                   std::to_string(found[number].size()) + " events, expected " +
                   std::to_string(expected[number].size());
        }
        for (std::size_t index = 0; index < expected[number].size(); ++index) {
            const auto& left = expected[number][index];
            const auto& right = found[number][index];
            const bool same = left.hash == right.hash && left.envelope == right.envelope &&
                              left.at.position == right.at.position &&
                              (right.withheld || left.payload == right.payload);
            if (!same) return "event " + to_string(left.at.position);
        }
    }
    return "";
}

}  // namespace recount::test
