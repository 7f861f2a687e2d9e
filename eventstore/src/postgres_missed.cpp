#include "postgres_missed.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "postgres_read.hpp"

namespace recount::postgres {

Missed::Missed(AppendGroup group, std::vector<AppendResult>& results, const Wanted& wanted) {
    for (std::size_t i = 0; i < group.size(); ++i) {
        Conflict& conflict = results[i].conflict;
        if (group[i]->missed_events == 0 || !conflict.missed.empty() || !wanted(*group[i])) {
            continue;
        }
        for (const FailedCheck& failed : conflict.failed) {
            pages_.push_back({&conflict, failed.stream, missed_of(*group[i], failed)});
        }
    }
}

void Missed::add_to(std::vector<Statement>& statements) const {
    for (const Page& page : pages_) {
        std::ranges::move(statements_for_page(page.stream, page.wanted),
                          std::back_inserter(statements));
    }
}

void Missed::take(std::span<const Result> answers, const std::string& store) const {
    for (const Page& page : pages_) {
        page.conflict->missed.push_back(stream_page_from(answers, page.stream, page.wanted, store));
        answers = answers.subspan(2);
    }
}

void end_with_missed(Session& session, AppendGroup group, std::vector<AppendResult>& results) {
    std::vector<Statement> statements{{"rollback", {}}};
    const Missed missed{group, results, [](const Append&) { return true; }};
    missed.add_to(statements);
    const auto answers = session.run_all(statements);
    missed.take(std::span{answers}.subspan(1), session.name());
}

bool DecidedAgain::decide(AppendGroup group, const std::vector<AppendResult>& verdicts,
                          const MayStand& may_stand, const Deadline& deadline) {
    for (std::size_t i = 0; i < group.size(); ++i) {
        const Append* append = group[i];
        if (verdicts[i].kind == AppendResult::Kind::conflict) {
            append = nullptr;
            try {
                if (group[i]->decide_again && !deadline.passed()) {
                    auto anew = group[i]->decide_again(verdicts[i].conflict);
                    if (anew && may_stand(*anew, *group[i])) {
                        append = &appends_.emplace_back(*std::move(anew));
                    }
                }
            } catch (...) {
                // Whoever brought it decides it again, and hears of it.
            }
        }
        if (append == nullptr) continue;
        group_.push_back(append);
        places_.push_back(i);
    }
    return !appends_.empty();
}

bool DecidedAgain::settle(std::vector<AppendResult>& first, std::vector<AppendResult> anew) const {
    using Kind = AppendResult::Kind;
    for (std::size_t k = 0; k < anew.size(); ++k) {
        const bool lost = anew[k].kind != Kind::committed;
        if (lost && first[places_[k]].kind == Kind::committed) return false;
    }
    for (std::size_t k = 0; k < anew.size(); ++k) {
        if (anew[k].kind != Kind::conflict) first[places_[k]] = std::move(anew[k]);
    }
    return true;
}

}  // namespace recount::postgres
