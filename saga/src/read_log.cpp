#include <algorithm>

#include <recount/core/event.hpp>

#include "work.hpp"

namespace recount {
namespace {

/// What names the saga that a person has dealt with. Earlier programs recorded no correlation.
StreamName dealt_with(const RecordedEvent& event) {
    const std::string& correlation = event.at.correlation_id;
    return correlation.empty() ? event.at.stream : StreamName::trusted(correlation);
}

}  // namespace

/// Reads on to the end, or until there is enough to begin or to record.
bool SagaEngine::Work::read_log(const std::stop_token& stop) {
    bool any = false;
    if (kinds_.empty()) return any;
    const std::int32_t partitions = store_.identity().partitions;
    next_partition_ = (next_partition_ + 1) % partitions;
    for (std::int32_t i = 0; i < partitions; ++i) {
        const std::int32_t p = (next_partition_ + i) % partitions;
        for (bool end = false; !end;) {
            if (starts_.size() >= options_.sagas_at_once) return any;
            if (active_.size() >= options_.open_sagas) return hear_of_persons() || any;
            const bool far = idle_events_ > 0 && idle_events_ >= options_.cursor_every;
            if (far || stop.stop_requested()) return any;
            const LogPage page =
                store_.read(Partition{p}, read_[Partition{p}],
                            {.max_events = std::max<std::size_t>(1, options_.sagas_at_once) * 4});
            for (const RecordedEvent& event : page.events) {
                sort_in(event);
                read_.set(event.at.position);
            }
            idle_events_ += page.events.size();
            any = any || !page.events.empty();
            end = page.end || page.events.empty();
        }
    }
    return any;
}

void SagaEngine::Work::sort_in(const RecordedEvent& event) {
    if (const auto kinds = started_by_.find(event.at.type); kinds != started_by_.end()) {
        for (Registered* kind : kinds->second)
            if (!kind->cursor.positions.cover(event.at.position)) starts_.push_back({kind, event});
    }
    const bool heard = heard_.cover(event.at.position);
    if (!heard && event.at.type == type_name<saga::v1::SagaResumed>()) resumed(event);
}

/// While nothing more may be begun the log is not read, but for what may let those go on that keep
/// others from beginning.
bool SagaEngine::Work::hear_of_persons() {
    bool any = false;
    const LogFilter wanted{.types = {type_name<saga::v1::SagaResumed>()}};
    heard_.raise(read_);
    if (!store_.wait(heard_, Duration{0})) return false;  // one look at all partitions
    for (Partition partition; partition.value < store_.identity().partitions; ++partition.value) {
        const LogPage page = store_.read(partition, heard_[partition], {.filter = wanted});
        for (const RecordedEvent& event : page.events) resumed(event);
        any = any || !page.events.empty();
        heard_.raise({partition, page.upto});
    }
    return any;
}

/// A person has dealt with a saga. It goes on from its stream; of one that lost it the alarm goes.
void SagaEngine::Work::resumed(const RecordedEvent& event) {
    const std::string name_and_id{dealt_with(event).id()};
    const std::size_t dot = name_and_id.find('.');
    const auto kind = kinds_.find(name_and_id.substr(0, dot));
    if (dot == std::string::npos || kind == kinds_.end()) return;
    const std::string id = name_and_id.substr(dot + 1);
    Registered& registered = kind->second;
    const bool news = !registered.cursor.positions.cover(event.at.position);
    // What it needs a person for from now on, if only the same once more, is an alarm of its own.
    const auto let_alarm_go = [&] {
        registered.cursor_due = registered.cursor.attention.erase(id) > 0 || registered.cursor_due;
        publish_alarm(registered);
    };
    if (event.at.stream.category() == saga::Saga::category) {
        adopt(kind->first, id).stale = true;
        if (news) let_alarm_go();
    } else if (event.at.stream.category() == saga::alarm_category && news) {
        active_.erase(saga::stream_of(kind->first, id).full());
        let_alarm_go();
    }
}

}  // namespace recount
