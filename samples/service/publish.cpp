#include "publish.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace articles {
namespace {

recount::Outcome refused(recount::Rejection rejection) {
    recount::CommandOutcome outcome;
    outcome.kind = recount::CommandOutcome::Kind::refused;
    outcome.rejection = std::move(rejection);
    return {std::move(outcome), false};
}

bool of_a_slug(const recount::FailedCheck& failed) { return failed.stream.category() == "slug"; }

}  // namespace

// [unique]
recount::Outcome publish(recount::EventStore& store, const std::string& id, const Publish& command,
                         const std::string& command_id, recount::Session& session) {
    // The rules are those of the Repository<Article> that handles every later command.
    const recount::Decision<Article> decision = decide(Article{}, command);
    if (decision.rejected()) return refused(decision.rejection());

    recount::StreamWrite article{{"article", id}, recount::Expected::no_stream(), {}};
    for (const auto& event : decision.events()) {
        std::visit([&](const auto& one) { article.events.push_back(recount::new_event(one)); },
                   event);
    }
    SlugTaken taken;
    taken.set_article_id(id);
    recount::StreamWrite slug{
        {"slug", command.slug()}, recount::Expected::no_stream(), {recount::new_event(taken)}};

    recount::Append append;
    append.metadata.command_id = command_id;
    append.writes = {std::move(article), std::move(slug)};  // both or neither
    append.request = recount::request_hash(append);
    const recount::AppendResult result = store.append(append);
    if (!result.outcome) {
        const bool other = std::ranges::any_of(result.conflict.failed, of_a_slug);
        return refused(recount::reject(other ? "slug_taken" : "already_published"));
    }
    session.saw(result.outcome->reached);
    return {*result.outcome, result.kind == recount::AppendResult::Kind::repeated};
}
// [unique]

}  // namespace articles
