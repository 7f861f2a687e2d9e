#pragma once

#include <recount/eventstore/log.hpp>

#include <functional>

namespace recount::test::projections {

/// A log that lets something happen each time before its heads or events are read.
class Interrupted : public Log {
public:
    explicit Interrupted(Log& log) : log_(log) {}
    [[nodiscard]] const StoreIdentity& identity() const override { return log_.identity(); }
    Environment& environment() override { return log_.environment(); }
    std::vector<Incarnation> incarnations() override { return log_.incarnations(); }
    std::vector<LogHead> heads() override {
        if (before_heads) before_heads();
        return log_.heads();
    }
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) override {
        if (before_read) before_read();
        if (before_reading) before_reading(partition);
        return log_.read(partition, after, options);
    }
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        return log_.wait(seen, at_most, stop);
    }

    std::function<void()> before_heads, before_read;
    std::function<void(Partition)> before_reading;

private:
    Log& log_;
};

}  // namespace recount::test::projections
