#include "store_window.hpp"

#include <recount/eventstore/newest_heads.hpp>

namespace recount {
namespace {

constexpr std::size_t page_events = 500;
constexpr std::size_t page_bytes = std::size_t{2} << 20;

}  // namespace

const RecordedEvent* StoreWindow::find(std::int64_t n) {
    for (const std::size_t which : {last_, 1 - last_}) {
        const auto& page = pages_[which];
        if (page.empty() || n < page.front().at.position.n || n > page.back().at.position.n) {
            continue;
        }
        last_ = which;
        return &page[static_cast<std::size_t>(n - page.front().at.position.n)];
    }
    return nullptr;
}

LogPage StoreWindow::read(std::int64_t n, std::size_t events) {
    return store_.read(partition_, n - 1, {.max_events = events, .max_bytes = page_bytes});
}

StoreWindow::Look StoreWindow::at(std::int64_t n) {
    if (const auto* event = find(n)) return {event};
    if (n > head_for(n)) return beyond(n);
    last_ = 1 - last_;
    auto& page = pages_[last_];
    page.clear();
    try {
        page = read(n, page_events).events;
    } catch (const Divergence&) {
        // Somewhere in that page; here?
        try {
            page = read(n, 1).events;
        } catch (const Divergence& error) {
            return broken(error);
        }
    }
    if (const auto* event = find(n)) return {event};
    return beyond(n);
}

StoreWindow::Look StoreWindow::now(std::int64_t n) {
    try {
        now_ = read(n, 1).events;
    } catch (const Divergence& error) {
        return broken(error);
    }
    if (!now_.empty()) return {now_.data()};
    return beyond(n);
}

StoreWindow::Look StoreWindow::broken(const Divergence& error) {
    require_living_incarnation();
    return {nullptr, error.what()};
}

/// The store gives nothing there: it has nothing, or it is a copy that another one is ahead of.
StoreWindow::Look StoreWindow::beyond(std::int64_t n) {
    require_living_incarnation();
    try {
        const auto heads = newest_heads(store_).heads;
        if (heads.at(static_cast<std::size_t>(partition_.value)).n < n) return {};
        return {nullptr, {}, "the store does not show all yet that it says it has"};
    } catch (const Unavailable& error) {
        return {nullptr, {}, error.what()};
    }
}

void StoreWindow::require_living_incarnation() {
    if (store_.incarnations().back().id == store_.identity().incarnation) return;
    throw Unavailable("store " + store_.identity().name +
                      " began a new incarnation; open it again and audit its topic");
}

std::int64_t StoreWindow::head_for(std::int64_t n) {
    if (n > head_) head_ = store_.heads().at(static_cast<std::size_t>(partition_.value)).n;
    return head_;
}

}  // namespace recount
