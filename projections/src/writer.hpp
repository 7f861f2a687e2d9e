#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backoff.hpp"
#include "handler.hpp"
#include "parked.hpp"
#include "signals.hpp"

namespace recount::projections {

/// Feeds one generation of one view: rows and checkpoints in one transaction each time. One thread
/// at a time, but status() and its kin may be called by any.
class GenerationWriter {
public:
    struct Context {
        Log& log;
        bool primary;  // the log is the store itself, so that its heads are what there is
        const ProjectorOptions& options;
        std::shared_ptr<Place> place;
    };

    /// Opens the generation, creating what is missing. Throws Mismatch when it is another store's.
    GenerationWriter(Context context, const ViewDefinition& definition, GenerationEntry entry,
                     const std::vector<Incarnation>& incarnations);

    [[nodiscard]] const std::string& view() const { return definition_.name; }
    [[nodiscard]] const GenerationEntry& entry() const { return entry_; }
    [[nodiscard]] const std::vector<Checkpoint>& checkpoints() const { return checkpoints_; }
    [[nodiscard]] Positions positions() const;

    /// Reads the checkpoints again when they may have changed.
    void refresh();
    /// Compares the checkpoints with what the log told after they were read: throws Divergence when
    /// the store has another history now, or holds less than was applied. No heads: they are
    /// unknown.
    void judge(const std::vector<LogHead>& heads, const std::vector<Incarnation>& incarnations);
    /// The checkpoints in memory are not those of the generation.
    void forget() { loaded_ = false; }
    void reload_if_forgotten() {
        if (!loaded_) reload();
    }
    void reload();

    /// Gives the batch to the view and moves its checkpoints, in one transaction. The batch begins
    /// at this writer's checkpoints. Throws Fenced when another projector moved them.
    Applied apply(EventBatch& batch);

    /// Tries what is parked again; returns how many events are parked no longer.
    std::int64_t retry_parked();

    /// Makes this generation the one that is read, when it has reached the current one. True when
    /// it is.
    bool go_live(Catalogue& catalogue, const std::vector<LogHead>& heads,
                 const std::vector<Incarnation>& incarnations);
    /// Points the SQL views for foreign clients here, if they are not. Failures are logged.
    void expose(Catalogue& catalogue);

    /// A view that cannot go on stops: told to readers by the generation itself, as far as it can
    /// be. That ends where the log is seen to hold what is in the view, not where it is hoped so.
    void stop(const std::string& reason);
    [[nodiscard]] bool stopped() const;

    /// Of errors that a retry may mend.
    Backoff& backoff() { return backoff_; }
    /// How many of so many events to bring at a time: fewer after a page that took so long that its
    /// transaction was ended, more again when several were done.
    [[nodiscard]] std::size_t page(std::size_t events) const {
        return std::max<std::size_t>(1, events >> halved_);
    }

    /// Tells where it is as metrics. No heads: they are unknown. `out` cannot be read.
    void measure(const Positions* heads, const std::set<Partition>& out);
    /// What any thread may know of it; heads and lags are left open.
    ViewStatus status();

private:
    /// The first event behind a position, which the view has not applied.
    struct Missing {
        std::int64_t behind = 0;
        std::optional<Timestamp> recorded_at;
    };

    double seconds_behind(const Positions& heads, const Positions& mine,
                          const std::set<Partition>& out);
    void note_page(const EventBatch& batch, std::chrono::nanoseconds began, bool done);
    Applied attempt(EventBatch& batch, const std::map<Position, std::string>& poison);
    void publish();
    [[nodiscard]] bool all_held() const;
    void end_stop();
    void stop_ended();
    bool retry_first(const ParkedHead& head, std::int64_t& done);
    RecordedEvent parked_event(const Position& position, const std::string& stream);
    [[nodiscard]] bool log_may_lag() const;
    /// Why the view cannot take this event whatever its hooks do; empty when it can.
    [[nodiscard]] std::string unfit(const RecordedEvent& event) const;
    bool reached(const GenerationEntry& current, const std::vector<LogHead>& heads,
                 const std::vector<Incarnation>& incarnations, Catalogue& catalogue);

    Context context_;
    const ViewDefinition& definition_;
    GenerationEntry entry_;
    std::shared_ptr<DatabasePool> pool_;
    std::unique_ptr<Handler> handler_;
    std::shared_ptr<Signal> moved_;
    std::vector<Checkpoint> checkpoints_;
    bool loaded_ = false;
    std::chrono::nanoseconds loaded_at_{};  // by the steady clock
    Backoff backoff_;
    unsigned halved_ = 0, done_since_ = 0;  // pages
    std::int64_t parked_ = 0;               // events, as last seen
    std::string mark_;                      // what the generation said of a stop when it was read
    std::vector<bool> held_;  // for each partition: the log was seen to hold what is in the view

    mutable std::mutex mutex_;  // of what follows
    Positions published_;
    bool live_ = false;
    bool stopped_ = false;
    std::string reason_;
    std::map<Partition, Missing> missing_since_;
};

}  // namespace recount::projections
