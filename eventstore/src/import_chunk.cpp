#include "import_chunk.hpp"

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace recount {
namespace {

constexpr std::size_t longest_id = 200;
constexpr std::size_t most_chunk_events = 100'000;
constexpr std::size_t most_chunk_bytes = std::size_t{64} << 20;

/// Hashes what events say. Everything has a length or a number before it, so that no two contents
/// have the same bytes.
class Content {
public:
    Content() { hasher_.add("recount/import/1"); }

    void add(const ImportedEvent& event) {
        const CommandMetadata& metadata = event.metadata;
        bytes_.clear();
        for (const std::string* text :
             {&event.stream.full(), &event.event.type, &event.event.encoding, &event.event.payload,
              &metadata.correlation_id, &metadata.causation_id, &metadata.traceparent}) {
            put(*text);
        }
        put(event.id ? event.id->view() : std::string_view{});
        put(metadata.headers.size());
        for (const auto& [name, value] : metadata.headers) {
            put(name);
            put(value);
        }
        put(metadata.occurred_at ? 1 : 0);
        if (metadata.occurred_at) {
            put(static_cast<std::uint64_t>(metadata.occurred_at->time_since_epoch().count()));
        }
        hasher_.add(bytes_);
    }

    Hash finish() { return hasher_.finish(); }

private:
    void put(std::uint64_t number) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<char>(number >> shift & 0xff));
        }
    }
    void put(std::string_view text) {
        put(text.size());
        bytes_.append(text);
    }

    Sha256 hasher_;
    std::string bytes_;
};

void check_options(const ImportOptions& options) {
    if (options.id.empty() || options.id.size() > longest_id) {
        throw InvalidArgument("an import has an id of " + std::to_string(options.id.size()) +
                              " bytes; give 1 to " + std::to_string(longest_id) +
                              ", and the same when it is run again");
    }
    check_command_id(options.id);
    const auto within = [&](const char* what, std::size_t value, std::size_t most) {
        if (value >= 1 && value <= most) return;
        throw InvalidArgument("import " + options.id + " has chunks of " + std::to_string(value) +
                              " " + what + "; give 1 to " + std::to_string(most));
    };
    within("events", options.chunk_events, most_chunk_events);
    within("bytes", options.chunk_bytes, most_chunk_bytes);
}

}  // namespace

ImportChunks::ImportChunks(const ImportOptions& options, const ImportSource& source,
                           std::int32_t partitions, const AppendLimits& limits)
    : options_(options), source_(source), partitions_(partitions), limits_(limits) {
    check_options(options);
}

std::string ImportChunks::next_id() const { return options_.id + "/" + std::to_string(number_); }

std::unique_ptr<ImportChunk> ImportChunks::next(std::size_t exactly) {
    auto chunk = std::make_unique<ImportChunk>();
    chunk->command_id = next_id();
    take(*chunk, exactly);
    place(*chunk);
    ++number_;
    return chunk;
}

void ImportChunks::take(ImportChunk& chunk, std::size_t exactly) {
    const std::size_t most = exactly > 0 ? exactly : options_.chunk_events;
    std::vector<ImportedEvent>& events = chunk.events;
    events.reserve(std::min(most, most_chunk_events));
    Content content;
    std::size_t bytes = 0;
    while (events.size() < most) {
        if (!ahead_ && !ended_) ahead_ = source_();
        ended_ = !ahead_;
        if (ended_) break;
        check(*ahead_);
        bytes += ahead_->event.payload.size();
        if (exactly == 0 && !events.empty() && bytes > options_.chunk_bytes) break;
        content.add(*ahead_);
        events.push_back(std::move(*ahead_));
        ahead_.reset();
    }
    if (events.size() < exactly) {
        throw CommandReused("import " + options_.id + " had " + std::to_string(exactly) +
                            " events in its chunk " + std::to_string(number_) +
                            " when that was written, and its source now ends after " +
                            std::to_string(events.size()) +
                            " of them; nothing was written: give it the source it had, or another "
                            "id for another import");
    }
    chunk.request = content.finish();
}

void ImportChunks::check(const ImportedEvent& event) const {
    check_event(options_.id, event.stream, event.event, event.metadata, limits_);
    if (event.metadata.command_id.empty()) return;
    throw InvalidArgument("import " + options_.id + " has an event for stream " +
                          event.stream.full() +
                          " with a command id of its own; put it into causation_id or a header: "
                          "the command of an imported event is the import's chunk");
}

/// Finds the streams and types of its events, and where each belongs.
void ImportChunks::place(ImportChunk& chunk) {
    std::vector<Lines::value_type*> lines, line_of;
    line_of.reserve(chunk.events.size());
    std::vector<std::string_view>& types = chunk.touched.types;
    for (const ImportedEvent& event : chunk.events) {
        Lines::value_type& line = find(event.stream);
        if (line.second.chunk != number_) {
            line.second.chunk = number_;
            line.second.before = line.second.version;
            lines.push_back(&line);
        }
        add(event, line.second);
        line_of.push_back(&line);
        if (types.empty() || types.back() != event.event.type) types.push_back(event.event.type);
    }
    std::sort(lines.begin(), lines.end(),
              [](const auto* left, const auto* right) { return left->first < right->first; });
    std::sort(types.begin(), types.end());
    types.erase(std::unique(types.begin(), types.end()), types.end());

    chunk.touched.command_ids = {chunk.command_id};
    std::vector<Partition>& partitions = chunk.touched.partitions;
    for (const auto* line : lines) partitions.push_back(line->second.partition);
    std::sort(partitions.begin(), partitions.end());
    partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
    for (auto* line : lines) {
        line->second.index = chunk.touched.streams.size();
        chunk.touched.streams.push_back(line->first);
        chunk.before.push_back(line->second.before);
        chunk.partition.push_back(chunk.touched.index_of(line->second.partition));
    }
    chunk.stream.reserve(chunk.events.size());
    for (const auto* line : line_of) chunk.stream.push_back(line->second.index);
    for (const ImportedEvent& event : chunk.events) {
        chunk.type.push_back(chunk.touched.index_of_type(event.event.type));
    }
}

void ImportChunks::add(const ImportedEvent& event, Line& line) const {
    if (line.closed) {
        throw InvalidArgument("import " + options_.id + " has an event for stream " +
                              event.stream.full() +
                              " behind the one that closes it; make that the last");
    }
    ++line.version.value;
    line.closed = event.event.type == stream_closed_type;
}

ImportChunks::Lines::value_type& ImportChunks::find(const StreamName& stream) {
    if (const auto known = lines_.find(std::string_view{stream.full()}); known != lines_.end()) {
        return *known;
    }
    Line line;
    line.partition = partition_of(stream, partitions_);
    return *lines_.emplace(stream.full(), line).first;
}

std::size_t events_of(const CommandOutcome& outcome) {
    std::int64_t count = 0;
    for (const StreamAppended& each : outcome.streams) {
        count += each.last.value - each.first.value + 1;
    }
    return static_cast<std::size_t>(count);
}

}  // namespace recount
