#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "writer.hpp"

namespace recount::projections {

/// The writers of one projector. Only the thread that runs it changes the list; others lock to
/// look.
struct Writers {
    std::mutex mutex;
    std::vector<std::unique_ptr<GenerationWriter>> list;
};

/// One go from where the views are to the heads that the log has as it begins. Views at the same
/// place share reading, checking and decoding; one that is behind is brought up to the others on
/// the way.
class Pass {
public:
    /// `all` are brought to the heads. Of those `due`, which are neither stopped nor to be tried
    /// again later, the ones that are read are: what is being built gets a page meanwhile.
    enum class Views : std::uint8_t { all, due };

    Pass(Log& log, const ProjectorOptions& options, Catalogue& catalogue, Writers& writers);

    /// What stops one view stops the others not: look at failure() and delay() afterwards. Throws
    /// what concerns the log itself.
    Applied run(Views views, std::stop_token stop);

    /// The first error that no retry would mend; its view is stopped.
    [[nodiscard]] const std::exception_ptr& failure() const { return failure_; }
    /// The first error that a retry may mend; its view was left out from then on.
    [[nodiscard]] const std::exception_ptr& delay() const { return delay_; }
    /// Views that are being built are not where the heads were: another pass is to follow.
    [[nodiscard]] bool more() const { return more_; }
    /// Where the heads were.
    [[nodiscard]] const Positions& target() const { return target_; }

private:
    using Cohort = std::vector<GenerationWriter*>;

    template <class Run>
    void guarded(GenerationWriter& writer, Run&& run);
    /// The log tells another history now; the pass begins again.
    struct Turned {};
    void throw_if_turned();
    void begin();
    void follow(Views views, const std::stop_token& stop);
    [[nodiscard]] bool some_wait_for_others() const;
    void drop(GenerationWriter& writer);
    bool replaced(GenerationWriter& writer, const Error& error);
    [[nodiscard]] std::vector<Cohort> cohorts() const;
    [[nodiscard]] bool behind(const GenerationWriter& writer) const;
    [[nodiscard]] std::int64_t last_for(const Cohort& cohort, Partition partition) const;
    void read(const Cohort& cohort, EventBatch& batch);
    bool serve(const Cohort& cohort);
    void swap();
    bool swap_one();

    Log& log_;
    const ProjectorOptions& options_;
    Catalogue& catalogue_;
    Writers& writers_;
    std::vector<GenerationWriter*> active_;
    std::vector<LogHead> heads_;
    std::vector<Incarnation> incarnations_;
    Positions target_;
    Applied applied_;
    bool more_ = false;
    std::exception_ptr failure_, delay_;
};

}  // namespace recount::projections
