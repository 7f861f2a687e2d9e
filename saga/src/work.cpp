#include "work.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>

namespace recount {
namespace {

bool is_name(const std::string& name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), plain);
}

const char* phase_name(saga::Phase phase) {
    switch (phase) {
        case saga::Phase::none:
            return "none";
        case saga::Phase::running:
            return "running";
        case saga::Phase::making_certain:
            return "making_certain";
        case saga::Phase::undoing:
            return "undoing";
        case saga::Phase::completed:
            return "completed";
        case saga::Phase::compensated:
            return "compensated";
    }
    return "unknown";
}

/// What would do nothing for ever is refused; pauses are no longer than can be counted.
SagaEngineOptions checked(SagaEngineOptions options) {
    const auto require = [](std::size_t value, const char* name) {
        if (value > 0) return;
        throw InvalidArgument(std::string{"SagaEngineOptions::"} + name +
                              " is 0, so that nothing would ever be done; give at least 1");
    };
    require(options.sagas_at_once, "sagas_at_once");
    require(options.commands_per_commit, "commands_per_commit");
    require(options.open_sagas, "open_sagas");
    constexpr Duration year = std::chrono::hours{24 * 365};
    options.shortest_pause = std::min(options.shortest_pause, year);
    options.longest_pause = std::min(options.longest_pause, year);
    return options;
}

}  // namespace

SagaEngine::Work::Work(EventStore& store, SagaEngineOptions options)
    : store_(store),
      options_(checked(options)),
      wall_at_start_(store.environment().clock.now()),
      steady_at_start_(store.environment().clock.steady()) {}

void SagaEngine::Work::add(saga::Kind kind, bool from_beginning) {
    const std::string name = kind.name;
    if (!is_name(name))
        throw InvalidArgument("\"" + name +
                              "\" is no name for a saga; use up to 64 letters, digits and '_'");
    if (kinds_.contains(name))
        throw InvalidArgument("the saga \"" + name + "\" was added before; add it once");
    std::vector<std::string_view> types;
    for (const auto& [type, start] : kind.starts) types.push_back(type);
    store_.require_readable(types);
    saga::Cursor cursor = saga::open_cursor(store_, name, from_beginning);

    for (const std::string& id : cursor.open) adopt(name, id);
    for (const auto& [id, why] : cursor.attention) adopt(name, id);
    const bool first = kinds_.empty();
    Registered& registered =
        kinds_.emplace(name, Registered{std::move(kind), std::move(cursor)}).first->second;
    for (const auto& [type, start] : registered.kind.starts)
        started_by_[type].push_back(&registered);

    // The log is read from where the one that is furthest behind stands; the others know what they
    // have covered.
    for (std::int32_t p = 0; p < store_.identity().partitions; ++p) {
        const std::int64_t n = registered.cursor.positions[Partition{p}];
        read_.set({Partition{p}, first ? n : std::min(n, read_[Partition{p}])});
    }
}

void SagaEngine::Work::deliver(std::string type, saga::Route route) {
    routes_.insert_or_assign(std::move(type), std::move(route));
}

void SagaEngine::Work::check_routes() const {
    std::set<std::string> missing;
    for (const auto& [name, registered] : kinds_)
        for (const std::string& type : registered.kind.commands)
            if (!routes_.contains(type)) missing.insert(type + " (of saga " + name + ")");
    if (missing.empty()) return;
    std::string all;
    for (const std::string& one : missing) all += (all.empty() ? "" : ", ") + one;
    throw InvalidArgument("no route for " + all +
                          "; call deliver<Command>(repository, id_of) for each before starting");
}

bool SagaEngine::Work::round(const std::stop_token& stop) {
    bool any = read_log(stop);
    any = any || !starts_.empty();
    begin(stop);
    while (!stop.stop_requested() && wave()) any = true;
    save_cursors();
    publish_listing();
    return any;
}

void SagaEngine::Work::wait(const std::stop_token& stop) {
    Duration longest = options_.longest_wait;
    const Timestamp at = time();
    for (const auto& [key, active] : active_) {
        const auto due = saga::due(active.saga);
        if (due) longest = std::min(longest, std::max(Duration{0}, Duration{*due - at}));
        if (active.not_before)
            longest = std::min(longest, std::max(Duration{0}, Duration{*active.not_before - at}));
    }
    if (longest <= Duration{0}) return;
    if (active_.size() < options_.open_sagas && !kinds_.empty()) {
        store_.wait(read_, longest, stop);
    } else {
        store_.environment().scheduler.sleep(longest, stop);  // what is new is not for it now
    }
}

SagaProgress SagaEngine::Work::take_progress() {
    progress_.open = static_cast<std::int64_t>(active_.size());
    return std::exchange(progress_, {});
}

std::vector<SagaListing> SagaEngine::Work::list() const {
    const std::lock_guard lock{listing_mutex_};
    return listing_;
}

std::vector<SagaEngine::Work::Registered*> SagaEngine::Work::due_cursors() {
    std::vector<Registered*> due;
    for (auto& [name, registered] : kinds_)
        if (registered.cursor_due) due.push_back(&registered);
    return due;
}

std::vector<Append> SagaEngine::Work::cursor_appends(Registered& registered) {
    registered.cursor.open.clear();
    for (const auto& [key, active] : active_)
        if (active.name == registered.kind.name) registered.cursor.open.push_back(active.id);
    return saga::appends_of(store_, registered.kind.name, registered.cursor);
}

void SagaEngine::Work::save_cursors() {
    for (Registered* registered : due_cursors()) {
        for (const Append& append : cursor_appends(*registered)) (void)store_.append(append);
        registered->cursor_due = false;
    }
}

/// The alarm: a gauge that stays up until a person has dealt with it, across restarts.
void SagaEngine::Work::note_attention(const saga::Active& active) {
    Registered& registered = kinds_.at(active.name);
    auto& waiting = registered.cursor.attention;
    const auto known = waiting.find(active.id);
    const std::string& why = active.lost.empty() ? active.saga.attention : active.lost;
    if (active.over) {  // nobody could record that the person has dealt with it
        if (known == waiting.end()) return;
        if (known->second.empty()) known->second = why;
    } else if (why.empty()) {
        if (known == waiting.end()) return;
        waiting.erase(known);
        registered.cursor_due = true;
    } else {
        if (known != waiting.end() && known->second == why) return;
        const bool is_new = known == waiting.end() || !known->second.empty();
        waiting[active.id] = why;
        if (is_new) {
            ++progress_.attention;
            spdlog::warn("saga {} needs a person: {}", active.stream.full(), why);
        }
        registered.cursor_due = registered.cursor_due || is_new;
    }
    publish_alarm(registered);
}

void SagaEngine::Work::publish_alarm(const Registered& registered) {
    metrics()
        .gauge("recount_saga_needs_attention", "Sagas that wait for a person: raise an alarm",
               {{"saga", registered.kind.name}})
        .set(static_cast<double>(registered.cursor.attention.size()));
}

void SagaEngine::Work::publish_listing() {
    std::vector<SagaListing> listing;
    std::map<std::string, double> open;
    for (const auto& [key, active] : active_) {
        open[active.name] += 1;
        listing.push_back(
            {active.name, active.id, phase_name(active.saga.phase), active.saga.attention});
    }
    for (const auto& [name, registered] : kinds_) {
        metrics()
            .gauge("recount_saga_open", "Sagas that are carried out", {{"saga", name}})
            .set(open[name]);
        for (const auto& [id, why] : registered.cursor.attention)
            if (!active_.contains(saga::stream_of(name, id).full()))
                listing.push_back({name, id, "needs_attention", why});
    }
    const std::lock_guard lock{listing_mutex_};
    listing_ = std::move(listing);
}

/// Wall-clock time as it was at the start, moved on by the clock that never jumps: a wall clock set
/// forward does not end sagas early.
Timestamp SagaEngine::Work::time() const {
    const auto passed = store_.environment().clock.steady() - steady_at_start_;
    return wall_at_start_ + std::chrono::duration_cast<std::chrono::microseconds>(passed);
}

}  // namespace recount
