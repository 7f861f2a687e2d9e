#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <recount/eventstore/import.hpp>

#include "append_plan.hpp"

namespace recount {

/// Events that are imported in one transaction. Its views point to names that the ImportChunks keep
/// and into itself, so it stays where it is.
struct ImportChunk {
    ImportChunk() = default;
    ImportChunk(const ImportChunk&) = delete;
    ImportChunk& operator=(const ImportChunk&) = delete;

    std::string command_id;
    Hash request;  // of what the events say, so that a repeat is told from other content
    std::vector<ImportedEvent> events;
    Touched touched;
    std::vector<Version> before;         // of each of touched.streams: where the import left it
    std::vector<std::size_t> partition;  // of each of touched.streams: in touched.partitions
    std::vector<std::size_t> stream;     // of each event: in touched.streams
    std::vector<std::size_t> type;       // of each event: in touched.types
};

/// A chunk whose rows were made while the one before it was being written, for heads as they were
/// to be then. What stores keep of it is their own.
class StagedChunk {
public:
    StagedChunk() = default;
    virtual ~StagedChunk() = default;
    StagedChunk(const StagedChunk&) = delete;
    StagedChunk& operator=(const StagedChunk&) = delete;

    /// Its rows were written as they are, so that the heads are as the next one takes them to be.
    [[nodiscard]] bool written() const { return written_; }
    void set_written() { written_ = true; }

private:
    bool written_ = false;
};

/// Cuts what a source gives into chunks.
class ImportChunks {
public:
    ImportChunks(const ImportOptions& options, const ImportSource& source, std::int32_t partitions,
                 const AppendLimits& limits);

    /// The command id of the next chunk.
    [[nodiscard]] std::string next_id() const;
    /// The next chunk, of so many events when `exactly` is not 0; without events at the end. Throws
    /// InvalidArgument when an event breaks a limit, CommandReused when there are fewer.
    std::unique_ptr<ImportChunk> next(std::size_t exactly);

private:
    /// A stream as the import knows it.
    struct Line {
        Partition partition;
        Version version;          // behind the chunk that was cut last
        std::int64_t chunk = -1;  // the last one that holds it
        Version before;           // before that one
        bool closed = false;
        std::size_t index = 0;  // in that one's list of streams
    };
    struct TextHash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Lines = std::unordered_map<std::string, Line, TextHash, std::equal_to<>>;

    void take(ImportChunk& chunk, std::size_t exactly);
    void place(ImportChunk& chunk);
    Lines::value_type& find(const StreamName& stream);
    void check(const ImportedEvent& event) const;
    void add(const ImportedEvent& event, Line& line) const;

    const ImportOptions& options_;
    const ImportSource& source_;
    std::int32_t partitions_;
    const AppendLimits& limits_;
    Lines lines_;
    std::int64_t number_ = 0;             // of the next chunk
    std::optional<ImportedEvent> ahead_;  // began the next chunk
    bool ended_ = false;
};

/// How many events an outcome of a chunk stands for.
std::size_t events_of(const CommandOutcome& outcome);

}  // namespace recount
