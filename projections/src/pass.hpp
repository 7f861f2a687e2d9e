#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "outages.hpp"
#include "writer.hpp"

namespace recount::projections {

/// The writers of one projector. Only the thread that runs it changes the list; others lock to
/// look.
struct Writers {
    std::mutex mutex;
    std::vector<std::unique_ptr<GenerationWriter>> list;
};

/// One go from where the views are to the heads that the log has as it begins or, where those are
/// unknown, to where its reads find no more. Views at the same place share reading, checking and
/// decoding; one that is behind is brought up to the others on the way. A partition that the log
/// does not give is left out.
class Pass {
public:
    /// `all` are brought to the heads. Of those `due`, which are neither stopped nor to be tried
    /// again later, the ones that are read are: what is being built gets a page meanwhile.
    enum class Views : std::uint8_t { all, due };

    /// What a projector works on.
    struct Parts {
        Log& log;
        bool primary;  // the log is the store itself, so that its heads are what there is
        const ProjectorOptions& options;
        Catalogue& catalogue;
        Writers& writers;
        Outages& outages;
    };
    explicit Pass(const Parts& parts);

    /// What stops one view stops the others not, nor does one partition: look at failure(), delay()
    /// and the others afterwards. Throws what concerns the log as a whole.
    Applied run(Views views, std::stop_token stop);

    /// The first error that no retry would mend; its view is stopped.
    [[nodiscard]] const std::exception_ptr& failure() const { return failure_; }
    /// The first error that a retry may mend; its view was left out from then on.
    [[nodiscard]] const std::exception_ptr& delay() const { return delay_; }
    /// Views that are being built are not where the heads were: another pass is to follow.
    [[nodiscard]] bool more() const { return more_; }
    /// Partitions that were not read, or could not be.
    [[nodiscard]] const std::set<Partition>& out() const { return out_; }
    /// The first error of a partition that was left out.
    [[nodiscard]] const std::exception_ptr& left_out() const { return left_out_; }
    /// Why the log did not tell its heads; nothing when it did.
    [[nodiscard]] const std::exception_ptr& heads_unknown() const { return heads_unknown_; }
    /// Where the heads were; nothing where they are unknown.
    [[nodiscard]] const Positions* target() const { return heads_unknown_ ? nullptr : &target_; }
    /// Where there is nothing to do until the log holds more: where the views are, beyond all
    /// events in partitions that were left out.
    [[nodiscard]] const Positions& seen() const { return seen_; }

private:
    using Cohort = std::vector<GenerationWriter*>;

    void guarded(GenerationWriter& writer, const std::function<void()>& run);
    /// The log tells another history now; the pass begins again.
    struct Turned {};
    void throw_if_turned();
    void begin(Views views);
    void aim();
    void follow(Views views);
    [[nodiscard]] bool some_wait_for_others() const;
    void drop(GenerationWriter& writer);
    bool replaced(GenerationWriter& writer, const Error& error);
    [[nodiscard]] std::vector<Cohort> cohorts() const;
    [[nodiscard]] bool behind(const GenerationWriter& writer) const;
    [[nodiscard]] std::vector<Partition> lagging(const Positions& positions) const;
    [[nodiscard]] std::int64_t last_for(const Cohort& cohort, Partition partition) const;
    void read(const Cohort& cohort, EventBatch& batch);
    [[nodiscard]] std::optional<LogPage> read_one(Partition partition, std::int64_t after,
                                                  const ReadLog& options);
    void note_seen();
    bool serve(const Cohort& cohort);
    void swap();
    bool swap_one();

    Log& log_;
    bool primary_;
    const ProjectorOptions& options_;
    Catalogue& catalogue_;
    Writers& writers_;
    Outages& outages_;
    std::stop_token stop_;
    std::vector<GenerationWriter*> active_;
    std::vector<LogHead> heads_;
    std::vector<Incarnation> incarnations_;
    Positions target_;
    std::set<Partition> endless_;  // of which neither a head nor a read has told the end yet
    std::set<Partition> out_;      // which are not read
    bool gave_ = false;            // some partition could be read
    Positions seen_;
    Applied applied_;
    bool more_ = false;
    std::exception_ptr failure_, delay_, left_out_, heads_unknown_;
};

}  // namespace recount::projections
