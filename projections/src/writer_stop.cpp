#include <spdlog/spdlog.h>

#include <algorithm>

#include "writer.hpp"

namespace recount::projections {

void GenerationWriter::stop(const std::string& reason) {
    spdlog::error("view {} (generation {}) stops: {}", view(), entry_.generation, reason);
    {
        const std::scoped_lock lock{mutex_};
        stopped_ = true;
        reason_ = reason;
    }
    forget();
    try {
        const DatabasePool::Lease lease = pool_->take();
        const auto sql = lease->begin(SqlMode::write);
        set_stopped(*sql, reason);
        sql->commit();
        moved_->raise();
    } catch (const std::exception& error) {
        spdlog::warn("view {}: its readers could not be told that it stopped: {}", view(),
                     error.what());
    }
}

bool GenerationWriter::stopped() const {
    const std::scoped_lock lock{mutex_};
    return stopped_;
}

bool GenerationWriter::all_held() const {
    return std::all_of(held_.begin(), held_.end(), [](bool held) { return held; });
}

void GenerationWriter::end_stop() {
    if (!mark_.empty()) {
        const DatabasePool::Lease lease = pool_->take();
        const auto sql = lease->begin(SqlMode::write);
        const std::string now = take_generation(*sql, view()).stopped;
        const bool known = now.empty() || now == mark_;
        // What another projector did meanwhile was not looked at.
        if (!known || read_checkpoints(*sql) != checkpoints_) return forget();
        set_stopped(*sql, "");
        sql->commit();
        moved_->raise();
    }
    stop_ended();
}

void GenerationWriter::stop_ended() {
    mark_.clear();
    const std::scoped_lock lock{mutex_};
    stopped_ = false;
    reason_.clear();
}

}  // namespace recount::projections
