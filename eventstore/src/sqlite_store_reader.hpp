#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/eventstore/event_store.hpp>

#include "sqlite_connection.hpp"
#include "store_base.hpp"

namespace recount {

/// A connection that reads a store's file while others read and one writes. One thread at a time.
class SqliteReader {
public:
    SqliteReader(const std::string& path, const StoreIdentity& identity, Duration timeout);

    std::optional<CommandOutcome> find_outcome(std::string_view command_id);
    StreamPage read_stream(const StreamName& stream, const ReadStream& options);
    SnapshotPage read_snapshot(const StreamName& stream, std::string_view type, std::int64_t fold,
                               ReadStream options);
    /// The rows are looked through in the order of their positions; those that a filter leaves out
    /// give their envelope and hash to the chain, and their payload is not read.
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options,
                 const std::vector<Incarnation>& incarnations);
    /// As stored: zeros for the hash of a partition that is empty.
    std::vector<LogHead> heads();
    std::vector<Incarnation> incarnations();
    std::vector<StreamHead> list_names(const NameRange& range, std::size_t limit);
    std::vector<OutcomeRow> outcome_rows(std::string_view after, std::size_t limit,
                                         bool with_bytes);
    std::vector<RevisionRow> revision_rows();
    std::vector<EventColumns> event_columns(Partition partition, std::int64_t after,
                                            std::size_t limit);
    std::optional<std::string> schema(std::string_view type, std::uint32_t revision);

private:
    using Prepared = std::unique_ptr<sqlite::Statement>;

    StreamPage page_of(const StreamName& stream, const ReadStream& options);
    ChainCheck chain_behind(const Position& position);

    StoreIdentity identity_;
    sqlite::Connection connection_;
    Prepared outcome_, stream_, forwards_, backwards_, log_, hash_at_, heads_, schema_;
    Prepared names_, snapshot_;
};

/// Readers, made when they are needed and kept for the next who reads. Thread-safe.
class SqliteReaders {
public:
    SqliteReaders(std::string path, Duration timeout) : path_(std::move(path)), timeout_(timeout) {}

    /// Calls `read(SqliteReader&)` with one that nobody else uses meanwhile.
    template <class Read>
    auto with(const StoreIdentity& identity, Read&& read) {
        std::unique_ptr<SqliteReader> reader = take();
        if (!reader) reader = std::make_unique<SqliteReader>(path_, identity, timeout_);
        auto result = read(*reader);
        give_back(std::move(reader));  // not after an exception: a new one starts afresh
        return result;
    }

private:
    static constexpr std::size_t most_idle = 8;

    std::unique_ptr<SqliteReader> take();
    void give_back(std::unique_ptr<SqliteReader> reader);

    std::string path_;
    Duration timeout_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<SqliteReader>> idle_;
};

}  // namespace recount
