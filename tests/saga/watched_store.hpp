#pragma once

#include <recount/eventstore/event_store.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace recount::saga_test {

/// The process dies: every later call of its store throws this again, so nobody gets over it.
struct Crash {};

/// A store that lets a test act just before or just after any of the calls it passes on.
class WatchedStore : public EventStore {
public:
    enum class When { before, after };
    /// Told the number of each call, from 1, twice.
    using Watch = std::function<void(int call, When when)>;

    WatchedStore(EventStore& store, Watch watch) : store_(store), watch_(std::move(watch)) {}

    [[nodiscard]] int calls() const { return calls_; }

    [[nodiscard]] const StoreIdentity& identity() const override { return store_.identity(); }
    Environment& environment() override { return store_.environment(); }
    [[nodiscard]] const std::string& url() const override { return store_.url(); }
    [[nodiscard]] const AppendLimits& limits() const override { return store_.limits(); }
    [[nodiscard]] const std::vector<std::string>& warnings() const override {
        return store_.warnings();
    }
    std::vector<AppendResult> append(std::span<const Append> group) override {
        return watched([&] { return store_.append(group); });
    }
    using EventStore::append;
    std::optional<CommandOutcome> find_outcome(std::string_view command_id) override {
        return watched([&] { return store_.find_outcome(command_id); });
    }
    CommandOutcome void_command(std::string_view command_id) override {
        return watched([&] { return store_.void_command(command_id); });
    }
    StreamPage read_stream(const StreamName& stream, const ReadStream& options) override {
        return watched([&] { return store_.read_stream(stream, options); });
    }
    std::vector<Incarnation> incarnations() override {
        return watched([&] { return store_.incarnations(); });
    }
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) override {
        return watched([&] { return store_.read(partition, after, options); });
    }
    std::vector<LogHead> heads() override {
        return watched([&] { return store_.heads(); });
    }
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        return store_.wait(seen, at_most, stop);
    }
    std::optional<std::string> schema(std::string_view type, std::uint32_t revision) override {
        return store_.schema(type, revision);
    }
    std::vector<StreamHead> list_streams(std::string_view category, std::string_view after,
                                         std::size_t limit) override {
        return store_.list_streams(category, after, limit);
    }
    std::vector<LogHead> verify_chain(
        const std::function<void(const Position&)>& progress) override {
        return store_.verify_chain(progress);
    }
    std::int64_t truncate(const StreamName& stream, Version before, NoSnapshot none) override {
        return store_.truncate(stream, before, none);
    }
    std::int64_t erase(const StreamName& stream, Version first, Version last) override {
        return store_.erase(stream, first, last);
    }
    Maintained maintain(const MaintainOptions& options) override {
        return store_.maintain(options);
    }

private:
    template <class Call>
    std::invoke_result_t<Call> watched(Call call) {
        const int number = ++calls_;
        watch_(number, When::before);
        auto result = call();
        watch_(number, When::after);
        return result;
    }

    EventStore& store_;
    Watch watch_;
    int calls_ = 0;
};

}  // namespace recount::saga_test
