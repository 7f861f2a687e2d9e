#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <recount/outbox/audit.hpp>

#include "kafka/reader.hpp"
#include "record.hpp"
#include "store_window.hpp"

namespace recount {

/// What the lanes of one audit share.
struct AuditWorld {
    std::string topic;
    bool allow_retention = false;
    RecordEncoder encoder;
    AuditReport report;
    std::function<void(const AuditFinding&)> tell;
};

/// One partition of an audited topic, record after record, by the rule of every reader: last + 1
/// only, and nothing is called a gap before the topic's end. One thread at a time.
class AuditLane {
public:
    AuditLane(AuditWorld& world, EventStore& store, Partition partition)
        : world_(world), partition_(partition), window_(store, partition) {}

    /// As if everything up to here had been taken. `low` is the offset at which the topic begins.
    void begin(const AuditPlace& place, std::int64_t low);
    /// Says why the store cannot judge it, which may pass: then it is to be taken again, as it is
    /// when the store throws. Empty: it was taken.
    [[nodiscard]] std::string take(const kafka::Record& record);
    /// The topic ends here now, and the relay knew `published` to be in it.
    void settle(std::int64_t published);
    /// What is behind cannot be read now: what is missing may be there.
    void pause() { end_replay(); }

    StoreWindow& window() { return window_; }
    [[nodiscard]] AuditedPartition state() const;
    [[nodiscard]] std::int64_t next_offset() const { return next_offset_; }

private:
    void compare(const kafka::Record& record, std::int64_t n, const StoreWindow::Look& there);
    void differ(const kafka::Record& record, std::int64_t n, const std::string& field,
                const std::string& what);
    void advance(std::int64_t n, const Hash& hash, std::int64_t offset);
    void note_ahead(std::int64_t n, std::int64_t offset);
    void end_replay();
    [[nodiscard]] bool nothing_kept() const;
    void first_kept(std::int64_t n, std::int64_t offset);
    void tell_gaps(std::int64_t published);
    void tell(AuditFinding finding);
    [[nodiscard]] std::int64_t furthest() const;
    [[nodiscard]] std::string where(std::int64_t offset = -1) const;

    struct Run {
        std::int64_t last = 0;
        std::int64_t offset = 0;  // of its first record
        std::int64_t early = 0;   // up to here it was there when its predecessor came
    };

    AuditWorld& world_;
    Partition partition_;
    StoreWindow window_;
    std::int64_t low_ = 0;  // behind 0 where records were deleted
    std::int64_t next_offset_ = 0;
    std::int64_t have_ = 0;               // applied, last + 1 only
    bool spoilt_ = false;                 // a difference that nothing mends: no further proof
    AuditPlace proved_;                   // never behind have_
    std::map<std::int64_t, Run> ahead_;   // came before their predecessors, by first position
    std::int64_t told_ = 0;               // gaps up to here were told
    std::int64_t gone_ = 0;               // published, and all of it taken by retention
    std::optional<AuditFinding> replay_;  // the run of replays that is being read
    std::map<AuditFinding::Kind, int> findings_;
};

}  // namespace recount
