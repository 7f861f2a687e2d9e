#include "audit_lane.hpp"

#include <algorithm>
#include <utility>

#include "record_audit.hpp"

namespace recount {
namespace {

using Kind = AuditFinding::Kind;

constexpr int most_told = 20;              // of a kind
constexpr std::size_t most_runs = 10'000;  // of records ahead of a hole

std::string range(Partition partition, std::int64_t first, std::int64_t last) {
    const std::string begin = to_string(Position{partition, first});
    return first == last ? "position " + begin
                         : "positions " + begin + " to " + to_string(Position{partition, last});
}

}  // namespace

std::string AuditLane::where(std::int64_t offset) const {
    return "topic " + world_.topic + " partition " + std::to_string(partition_.value) +
           (offset < 0 ? std::string{} : " offset " + std::to_string(offset));
}

void AuditLane::tell(AuditFinding finding) {
    if (finding.difference()) {
        world_.report.differences += std::max<std::int64_t>(1, finding.last - finding.first + 1);
    }
    const int count = ++findings_[finding.kind];
    if (count > most_told || !world_.tell) return;
    finding.partition = partition_;
    if (count == most_told) {
        finding.what += std::string{" (what else is "} + to_string(finding.kind) +
                        " in this partition is only counted)";
    }
    world_.tell(finding);
}

void AuditLane::begin(const AuditPlace& place, std::int64_t low) {
    low_ = low;
    next_offset_ = place.offset;
    have_ = place.n;
    spoilt_ = false;
    proved_ = place;
    ahead_.clear();
    told_ = 0;
    gone_ = 0;
    replay_.reset();
}

std::int64_t AuditLane::furthest() const {
    return ahead_.empty() ? have_ : ahead_.rbegin()->second.last;
}

AuditedPartition AuditLane::state() const {
    return {proved_, std::max(furthest(), gone_), std::max(window_.head(), proved_.n)};
}

std::string AuditLane::take(const kafka::Record& record) {
    next_offset_ = record.offset() + 1;
    const auto place = place_of(record);
    if (!place) {
        end_replay();
        std::string why = "its position belongs to another partition, or its headers are garbled";
        static_cast<void>(decode_record(record, why));
        ++world_.report.foreign;
        tell({.kind = Kind::foreign,
              .offset = record.offset(),
              .what = where(record.offset()) + ": not a record of recount's: " + why +
                      "; readers pass it over, look who writes to the topic"});
        return {};
    }
    const std::int64_t n = place->position.n;
    if (n > have_) end_replay();
    if (have_ == 0 && proved_.offset == 0 && ahead_.empty() && n > 1) {
        first_kept(n, record.offset());
    }
    const auto there = window_.at(n);
    if (!there.unsure.empty()) return there.unsure;
    compare(record, n, there);
    if (there.event == nullptr && there.broken.empty()) return {};
    if (n == have_ + 1) {
        advance(n, place->hash, record.offset());
    } else if (n > have_) {
        note_ahead(n, record.offset());
    }
    return {};
}

/// A topic whose beginning retention may take away is proved from where it begins.
void AuditLane::first_kept(std::int64_t n, std::int64_t offset) {
    if (!world_.allow_retention || low_ == 0 || n > window_.head_for(n)) return;
    have_ = gone_ > 0 ? std::min(n - 1, gone_) : n - 1;  // since then nothing was deleted
    proved_ = {have_, {}, offset};
}

/// Retention took all that there was: the proof begins with what comes next.
bool AuditLane::nothing_kept() const {
    return world_.allow_retention && low_ > 0 && have_ == 0 && proved_.offset == 0 &&
           ahead_.empty() && !spoilt_;
}

void AuditLane::compare(const kafka::Record& record, std::int64_t n,
                        const StoreWindow::Look& there) {
    if (!there.broken.empty()) {
        differ(record, n, "store",
               "the store's own event does not hold, so there is nothing to compare with: " +
                   there.broken);
        return;
    }
    if (there.event == nullptr) {
        spoilt_ = true;
        tell({.kind = Kind::extra,
              .first = n,
              .last = n,
              .offset = record.offset(),
              .what = where(record.offset()) + ": " + range(partition_, n, n) +
                      " is behind the store's head, " + std::to_string(window_.head()) +
                      "; the store was restored without being declared (recount store "
                      "declare-restored), or another store writes to this topic"});
        return;
    }
    auto audit = audit_record(record, *there.event, world_.encoder);
    if (audit.difference) {  // was it erased since it was read?
        const auto now = window_.now(n);
        if (now.event != nullptr) audit = audit_record(record, *now.event, world_.encoder);
    }
    if (audit.difference) {
        differ(record, n, audit.difference->field, audit.difference->what);
        return;
    }
    if (audit.unforgotten) ++world_.report.unforgotten;
    if (n > have_) return;
    ++world_.report.replayed;
    if (!replay_ || replay_->last + 1 != n) {
        end_replay();
        replay_ = AuditFinding{.kind = Kind::replayed, .first = n, .offset = record.offset()};
    }
    replay_->last = n;
}

void AuditLane::differ(const kafka::Record& record, std::int64_t n, const std::string& field,
                       const std::string& what) {
    end_replay();
    spoilt_ = true;
    if (n <= proved_.n) proved_ = {};  // where the proof ended before this one is not kept
    tell({.kind = Kind::differing,
          .first = n,
          .last = n,
          .offset = record.offset(),
          .field = field,
          .what = where(record.offset()) + ": " + range(partition_, n, n) +
                  " differs from the store in its " + field + ": " + what +
                  "; stop readers, keep both, find out who wrote it"});
}

void AuditLane::advance(std::int64_t n, const Hash& hash, std::int64_t offset) {
    have_ = n;
    if (!spoilt_) proved_ = {n, hash, offset + 1};
    while (!ahead_.empty() && ahead_.begin()->first <= n) {  // it came again, in its order
        auto run = ahead_.extract(ahead_.begin());
        if (run.mapped().last <= n) continue;
        run.key() = n + 1;
        ahead_.insert(std::move(run));
    }
    if (!ahead_.empty() && ahead_.begin()->first == n + 1) {
        auto& next = ahead_.begin()->second;
        if (next.early <= n) next.early = next.last;
    }
    if (told_ == 0 || n < told_) return;
    told_ = 0;
    tell({.kind = Kind::mended,
          .first = n,
          .last = n,
          .offset = offset,
          .what = where(offset) + ": what was missing or out of order has come, up to " +
                  range(partition_, n, n)});
}

void AuditLane::note_ahead(std::int64_t n, std::int64_t offset) {
    auto next = ahead_.upper_bound(n);
    if (next != ahead_.begin()) {
        auto& before = std::prev(next)->second;
        if (n <= before.last) return;
        if (n == before.last + 1) {
            before.last = n;
            if (next != ahead_.end() && next->first == n + 1) {
                before.last = next->second.last;
                ahead_.erase(next);
            }
            return;
        }
    }
    Run run{n, offset};
    if (next != ahead_.end() && next->first == n + 1) {
        run.last = next->second.last;
        ahead_.erase(next);
    }
    ahead_.emplace(n, run);
    if (ahead_.size() <= most_runs) return;
    tell_gaps(-1);  // so torn a topic is not kept in mind whole
    spoilt_ = true;
    have_ = furthest();
    ahead_.clear();
}

void AuditLane::end_replay() {
    if (!replay_) return;
    AuditFinding finding = *std::exchange(replay_, std::nullopt);
    finding.what = where(finding.offset) + ": " + range(partition_, finding.first, finding.last) +
                   " came again, equal; readers pass it over";
    tell(std::move(finding));
}

void AuditLane::settle(std::int64_t published) {
    end_replay();
    gone_ = nothing_kept() ? std::min(published, window_.head_for(published)) : 0;
    if (gone_ <= 0) tell_gaps(published);
}

void AuditLane::tell_gaps(std::int64_t published) {
    std::int64_t reached = have_;
    const auto missing = [&](std::int64_t last, const std::string& why) {
        const std::int64_t first = std::max(reached, told_) + 1;
        if (first > last) return;
        tell({.kind = Kind::missing,
              .first = first,
              .last = last,
              .what = where() + ": " + range(partition_, first, last) + " of the store " +
                      (first == last ? "is" : "are") + " missing: " + why});
    };
    for (const auto& [first, run] : ahead_) {
        missing(first - 1, "the topic goes on behind at offset " + std::to_string(run.offset) +
                               "; a relay that works sends them again from there, readers with a "
                               "store fill the gap from it");
        if (first == have_ + 1 && run.early > told_) {
            const std::int64_t from = std::max(first, told_ + 1);
            tell({.kind = Kind::out_of_order,
                  .first = from,
                  .last = run.early,
                  .offset = run.offset,
                  .what = where(run.offset) + ": " + range(partition_, from, run.early) +
                          " came before " + range(partition_, have_, have_) +
                          " and not again behind it; readers of \"last + 1 only\" have to look "
                          "back for it"});
        }
        reached = run.last;
    }
    missing(std::min(published, window_.head_for(published)),
            "the relay knew them to be in the topic, which ends before; it was truncated or made "
            "anew: start the relay, which sends them again");
    if (!ahead_.empty() || published > furthest()) told_ = std::max({told_, furthest(), published});
}

}  // namespace recount
