#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "append_plan.hpp"
#include "sqlite_connection.hpp"

namespace recount {

/// The one connection that writes a store's file. One thread at a time.
class SqliteWriter {
public:
    SqliteWriter(const std::string& path, Duration timeout, const StoreIdentity& identity,
                 const std::vector<Incarnation>& incarnations, Environment& environment);
    SqliteWriter(const SqliteWriter&) = delete;
    SqliteWriter& operator=(const SqliteWriter&) = delete;

    /// One transaction, committed when it returns.
    AppendPlan append(AppendGroup group);
    CommandOutcome void_command(std::string_view command_id);

private:
    using Prepared = std::unique_ptr<sqlite::Statement>;

    /// A type as it was last registered by this process.
    struct Registered {
        std::int64_t id = 0;  // of its row in table schema
        std::uint32_t revision = 0;
    };

    AppendPlan append_locked(AppendGroup group, const Touched& touched);
    KnownState read_known(const Touched& touched);
    LogHead read_head(Partition partition);
    void read_stream(std::string_view name, std::int64_t& id, Version& version);
    std::optional<CommandOutcome> read_outcome(std::string_view command_id);
    void write(const AppendPlan& plan, const Touched& touched);
    void write_events(const AppendPlan& plan, const Touched& touched);
    void write_outcome(const PlannedOutcome& outcome);
    void register_types(const Touched& touched);
    Registered register_type(std::string_view type);
    std::int64_t stream_id(std::string_view name, std::size_t index);

    PlanContext context_;
    Environment& environment_;
    sqlite::Connection connection_;
    Prepared head_, stream_, version_, outcome_, revisions_;
    Prepared add_event_, add_stream_, add_outcome_, add_schema_, set_head_;

    std::unordered_map<std::string, Registered> types_;
    std::vector<std::string> new_types_;    // in types_, but not committed yet
    std::vector<std::int64_t> stream_ids_;  // of the streams touched, 0 when new
};

}  // namespace recount
