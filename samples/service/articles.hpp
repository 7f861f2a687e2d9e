#pragma once

#include <recount/core.hpp>
#include <recount/projections.hpp>
#include <recount/saga.hpp>

#include <string>
#include <string_view>

#include "articles.pb.h"

namespace articles {

struct Article {
    static constexpr std::string_view category = "article";
    using Event = recount::Events<Published, Retitled>;
    std::string title;  // empty: not published
};

inline Article evolve(Article article, const Published& event) {
    article.title = event.title();
    return article;
}
inline Article evolve(Article article, const Retitled& event) {
    article.title = event.title();
    return article;
}

inline recount::Decision<Article> decide(const Article& article, const Publish& command) {
    if (!article.title.empty()) return recount::reject("already_published");
    if (command.slug().empty() || command.title().empty()) return recount::reject("incomplete");
    Published published;
    published.set_slug(command.slug());
    published.set_title(command.title());
    return published;
}
inline recount::Decision<Article> decide(const Article& article, const Retitle& command) {
    if (article.title.empty()) return recount::reject("not_published");
    if (command.title().empty()) return recount::reject("incomplete");
    if (command.title() == article.title) return recount::nothing();
    Retitled retitled;
    retitled.set_title(command.title());
    return retitled;
}

/// One stream, "feed-main": how many articles readers were told of.
struct Feed {
    static constexpr std::string_view category = "feed";
    using Event = recount::Events<AddedToFeed>;
    int articles = 0;
};

inline Feed evolve(Feed feed, const AddedToFeed&) {
    ++feed.articles;
    return feed;
}
inline recount::Decision<Feed> decide(const Feed&, const AddToFeed& command) {
    AddedToFeed added;
    added.set_slug(command.slug());
    return added;
}

/// One row an article.
struct ArticleList {
    static constexpr std::string_view name = "article_list";
    static constexpr int version = 1;
    static constexpr std::string_view category = Article::category;
    using Row = ArticleRow;
    using Event = recount::Events<Published, Retitled>;

    static void evolve(ArticleRow& row, const Published& event, const recount::Recorded&) {
        row.set_slug(event.slug());
        row.set_title(event.title());
    }
    static void evolve(ArticleRow& row, const Retitled& event, const recount::Recorded&) {
        row.set_title(event.title());
    }
};

/// From a published article to its place in the feed.
struct Announcement {
    static constexpr std::string_view name = "announcement";
    using StartedBy = recount::Events<Published>;
    using Command = recount::Events<AddToFeed>;

    static std::string id_of(const Published& article) { return article.slug(); }
    static recount::Plan plan(const Published& article) {
        AddToFeed add;
        add.set_slug(article.slug());
        recount::Plan plan;
        plan.step("feed", add);
        return plan;
    }
};

}  // namespace articles
