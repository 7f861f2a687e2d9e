#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/streams.hpp>
#include <recount/eventstore/log.hpp>

namespace recount {

struct StoreOptions {
    /// Fixed when the store is created and checked whenever it is opened; nothing takes what is
    /// there, and 16 for a new store.
    std::optional<std::int32_t> partitions = {};
    /// Creates the store when there is none. Turned off, a missing store is a Mismatch.
    bool create = true;
    /// A second process may read a SQLite store that another one writes.
    bool read_only = false;
    /// How long a statement may wait for a lock or the server for an answer.
    Duration timeout = std::chrono::seconds{10};
    std::size_t connections = 4;  // of a PostgreSQL store
    AppendLimits limits = {};
    Environment* environment = nullptr;  // nothing: the system's
};

/// The event store: the log, and who decides what may be appended to it. Thread-safe. Every append
/// is atomic and exact (DESIGN promise 1), happens once under its command id (2), has positions in
/// commit order (3) and is chained (4); see eventstore/README.md for the conditions of each.
class EventStore : public Streams, public Log {
public:
    [[nodiscard]] const StoreIdentity& identity() const override = 0;
    Environment& environment() override = 0;

    using Streams::append;

    /// The URL this store was opened with, to derive its neighbours (views) from. Holds secrets:
    /// never log it; `identity().name` is for that.
    [[nodiscard]] virtual const std::string& url() const = 0;

    /// Recomputes every hash and digest, partition by partition; throws Divergence that names the
    /// first bad position. Returns the heads that were reached. `progress` is told after each page.
    std::vector<LogHead> verify_chain(const std::function<void(const Position&)>& progress = {});

    /// The file descriptor set (protobuf FileDescriptorSet bytes) under which a type's revision was
    /// stored; nothing when the type is unknown here.
    virtual std::optional<std::string> schema(std::string_view type, std::uint32_t revision) = 0;
};

/// Opens the store that a URL names, creating it when there is none:
///     memory:                                             gone with the object
///     sqlite:PATH                                         a file; durable; one writing process
///     postgresql://USER@HOST:PORT/DATABASE?schema=NAME    a schema of its own
/// Throws InvalidArgument for another scheme or a missing folder, Mismatch for a foreign file,
/// another partition count or a newer schema (nothing is touched), Unavailable when it cannot be
/// reached.
std::unique_ptr<EventStore> open_store(const std::string& url, const StoreOptions& options = {});

}  // namespace recount
