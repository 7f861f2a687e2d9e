#include "store_window.hpp"

#include <recount/core/error.hpp>

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
    if (const auto* event = find(n)) return {event, {}};
    if (n > head_for(n)) return {};
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
            if (store_.incarnations().back().id != store_.identity().incarnation) {
                throw Unavailable("store " + store_.identity().name +
                                  " began a new incarnation; open it again and audit its topic");
            }
            return {nullptr, error.what()};
        }
    }
    return {find(n), {}};
}

std::int64_t StoreWindow::head_for(std::int64_t n) {
    if (n > head_) head_ = store_.heads().at(static_cast<std::size_t>(partition_.value)).n;
    return head_;
}

}  // namespace recount
