#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <recount/core/snapshots.hpp>

#include "append_plan.hpp"
#include "import_chunk.hpp"
#include "sqlite_connection.hpp"
#include "sqlite_store_file.hpp"
#include "store_base.hpp"

namespace recount {

/// The one connection that writes a store's file. One thread at a time.
class SqliteWriter {
public:
    /// `file` outlives it.
    SqliteWriter(const std::string& path, const StoreOptions& options, const SqliteStoreFile& file,
                 Environment& environment);
    ~SqliteWriter();
    SqliteWriter(const SqliteWriter&) = delete;
    SqliteWriter& operator=(const SqliteWriter&) = delete;

    /// One transaction, committed when it returns.
    AppendPlan append(AppendGroup group);
    /// What rows are made on that are to be written later.
    struct Ground {
        using Revisions = std::map<std::string, std::uint32_t, std::less<>>;
        std::vector<LogHead> heads;  // of all partitions
        Revisions revisions;         // of the chunk's types
    };
    Ground ground_for(const ImportChunk& chunk);
    /// Makes a chunk's rows before they are written, on a ground or behind one that is staged
    /// already. Any thread, at any time.
    std::unique_ptr<StagedChunk> stage(const ImportChunk& chunk, const Ground& ground) const;
    std::unique_ptr<StagedChunk> stage_behind(const ImportChunk& chunk,
                                              const StagedChunk& before) const;
    /// `staged`: made by these, or null.
    AppendPlan import_chunk(const ImportChunk& chunk, StagedChunk* staged);
    CommandOutcome void_command(std::string_view command_id);
    std::int64_t erase(const StreamName& stream, const Erasure& what);
    bool has_snapshot(const StreamName& stream, Version at_least);
    /// Written with the next append, so that nobody waits for it, or when this ends.
    void put_snapshot(const StreamName& stream, const Snapshot& snapshot);
    Timestamp raise_horizon(Timestamp horizon);
    void forget_outcomes(const std::vector<std::string_view>& command_ids);

private:
    using Prepared = std::unique_ptr<sqlite::Statement>;

    /// A type as it was last registered by this process.
    struct Registered {
        std::int64_t id = 0;  // of its row in table schema
        std::uint32_t revision = 0;
    };

    /// A stream as this process last read or wrote it.
    struct Stream {
        std::int64_t id = 0;  // 0: there is none
        Version version;
        bool closed = false;
    };

    /// Looks up by string_view what is kept by string.
    struct TextHash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    template <class Value>
    using ByName = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

    AppendPlan append_locked(AppendGroup group, const Touched& touched);
    struct StagedRows;
    AppendPlan import_locked(const ImportChunk& chunk, StagedRows* staged);
    [[nodiscard]] bool still_fits(const StagedRows& staged, const ImportChunk& chunk,
                                  const KnownState& known) const;
    /// Commits what was planned and written, and remembers it.
    AppendPlan committed(const std::function<AppendPlan()>& write);
    KnownState read_known(const Touched& touched);
    LogHead read_head(Partition partition);
    /// Of a head that this did not leave there.
    void require_last_event(Partition partition, const LogHead& head);
    Stream read_stream(std::string_view name);
    void forget_if_others_wrote();
    Timestamp read_horizon();
    void remember(const AppendPlan& plan);
    std::optional<CommandOutcome> read_outcome(std::string_view command_id);
    void write(const AppendPlan& plan);
    void write_event(const PlannedEvent& event, std::string_view& type);
    void write_outcome(const PlannedOutcome& outcome);
    void register_types(const Touched& touched);
    Registered register_type(std::string_view type);
    template <class Write>
    auto in_transaction(const Write& write) {
        connection_.begin_write();
        try {
            require_in_place();
            auto result = write();
            connection_.commit();
            return result;
        } catch (...) {
            connection_.rollback();
            throw;
        }
    }
    /// Throws Mismatch when the file is no longer where it was opened.
    void require_in_place() const;
    void add_stream(std::string_view name, Stream& stream);
    void write_snapshots();

    PlanContext context_;
    const SqliteStoreFile& file_;
    Environment& environment_;
    sqlite::Connection connection_;
    Prepared data_version_, head_, stream_, version_, outcome_, revisions_;
    Prepared add_event_, add_stream_, close_stream_, add_outcome_, add_schema_, set_head_;

    ByName<Registered> types_;
    std::vector<std::string> new_types_;  // in types_, but not committed yet
    ByName<Stream> streams_;
    std::vector<Stream> touched_streams_;  // by the append at hand
    std::vector<Stream*> remembered_;      // where each of them is in streams_, if it is
    std::map<std::pair<std::string, std::string>, Snapshot> snapshots_;  // by stream and type
    std::vector<LogHead> heads_;  // as this last read or committed them
    std::int64_t seen_data_version_ = -1;
    Timestamp horizon_;  // as of that
};

}  // namespace recount
