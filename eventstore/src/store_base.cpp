#include "store_base.hpp"

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>

namespace recount {
namespace {

/// Keeps ends within what the clock can count.
constexpr Duration longest_wait = std::chrono::hours{24 * 365};

}  // namespace

StoreIdentity new_identity(std::int32_t partitions, std::string name, Environment& environment) {
    return {new_uuid7(environment), new_uuid7(environment), partitions, std::move(name)};
}

Incarnation first_incarnation(const StoreIdentity& identity, Timestamp now) {
    Incarnation incarnation;
    incarnation.id = identity.incarnation;
    incarnation.began_at = now;
    incarnation.forks.resize(static_cast<std::size_t>(identity.partitions));
    return incarnation;
}

RecordedEvent recorded_event(const Position& position, std::string_view envelope,
                             std::string_view hash, std::optional<std::string_view> salt,
                             std::optional<std::string_view> payload) {
    RecordedEvent event;
    static_cast<Envelope&>(event.at) = decode_envelope(envelope);
    event.at.position = position;
    event.hash = Hash::from(hash);
    event.envelope = envelope;
    if (salt) event.salt = *salt;
    if (payload) event.payload.emplace(*payload);
    return event;
}

void check_row(const RecordedEvent& event, const StreamName& stream, Version version) {
    const bool placed = event.at.stream == stream && event.at.version == version;
    if (!placed) {
        throw Divergence("stream " + stream.full() + ", version " + std::to_string(version.value) +
                         ": the envelope at position " + to_string(event.at.position) +
                         " says stream " + event.at.stream.full() + ", version " +
                         std::to_string(event.at.version.value) +
                         "; the row was changed: verify the chain");
    }
    if (!event.erased() && payload_digest(event.salt, *event.payload) != event.at.payload_digest) {
        throw Divergence("stream " + stream.full() + ", version " + std::to_string(version.value) +
                         ", position " + to_string(event.at.position) +
                         ": the payload is not the one whose digest is in the envelope; verify " +
                         "the chain, and restore the payload from a backup");
    }
}

void missing_event(const Position& position, const std::string& store) {
    throw Divergence(store + " has no event at position " + to_string(position) +
                     ", behind which it was asked to read; it lost its end, or is another store "
                     "than the one the position is from: compare their ids and incarnations");
}

Deadline::Deadline(Environment& environment, Duration at_most)
    : clock_(environment.clock),
      end_(clock_.steady() + std::clamp(at_most, Duration{0}, longest_wait)) {}

Duration Deadline::left() const { return std::chrono::ceil<Duration>(end_ - clock_.steady()); }

bool any_beyond(const std::vector<LogHead>& heads, const Positions& seen) {
    for (std::size_t i = 0; i < heads.size(); ++i) {
        if (heads[i].n > seen[Partition{static_cast<std::int32_t>(i)}]) return true;
    }
    return false;
}

StoreBase::StoreBase(std::string url, const StoreOptions& options)
    : url_(std::move(url)),
      environment_(options.environment == nullptr ? Environment::system() : *options.environment),
      limits_(options.limits) {}

std::vector<AppendResult> StoreBase::append(std::span<const Append> group) {
    for (const Append& one : group) check_append(one, limits_);
    if (group.empty()) return {};
    return append_checked(group);
}

void StoreBase::check_partition(Partition partition) const {
    if (partition.value >= 0 && partition.value < identity_.partitions) return;
    throw InvalidArgument("partition " + std::to_string(partition.value) + " of " + identity_.name +
                          ", which has " + std::to_string(identity_.partitions) +
                          "; ask for 0 to " + std::to_string(identity_.partitions - 1));
}

}  // namespace recount
