#include <recount/eventstore.hpp>
#include <recount/saga.hpp>

#include <spdlog/fmt/fmt.h>

#include <iostream>
#include <memory>
#include <thread>

#include "engines.hpp"
#include "programs.hpp"
#include "progress.hpp"
#include "replay.hpp"
#include "report.hpp"
#include "shop_views.hpp"

namespace shop {

using namespace std::chrono_literals;

namespace {

std::int64_t events_in(recount::EventStore& store) {
    std::int64_t events = 0;
    for (const recount::LogHead& head : store.heads()) events += head.n;
    return events;
}

int report_refusals(const ReplayResult& result) {
    if (result.refused == 0) return done;
    for (const std::string& refusal : result.refusals) std::cerr << "refused: " << refusal << '\n';
    std::cerr << result.refused << " commands were refused: the store holds something else than "
              << "this file leads to; replay into a store of its own\n";
    return failed;
}

/// Views and sagas of this process, going on while commands are sent. Sagas take their turn
/// between commits, as both write the same store, and only after some, so that more of them share
/// the commits of a turn; the projector has a thread of its own.
class Engines {
public:
    Engines(recount::EventStore& store, Repositories& shop, const std::string& views)
        : store_(store), sagas_(store), projector_(store, {.views = views}) {
        add_sagas(sagas_, shop);
        projecting_ =
            std::jthread{[this](std::stop_token stop) { projector_.run(std::move(stop)); }};
    }
    void between_commits() {
        if (++commits_ % commits_between_turns == 0) sagas_.catch_up();
    }
    /// Lets every saga come to its end, then the views; false when stopped before.
    bool finish(const std::stop_token& stop) {
        for (;;) {
            const recount::SagaProgress turn = sagas_.catch_up();
            if (stop.stop_requested()) return false;
            if (turn.commands > 0) continue;
            if (turn.open == 0) break;
            if (!store_.environment().scheduler.sleep(200ms, stop)) return false;
        }
        projecting_.request_stop();
        projecting_.join();
        projector_.catch_up();
        return true;
    }

private:
    static constexpr std::int64_t commits_between_turns = 4;

    recount::EventStore& store_;
    std::int64_t commits_ = 0;
    recount::SagaEngine sagas_;
    ShopProjector projector_;
    std::jthread projecting_;
};

/// Do the views show everything that is committed by now?
bool all_is_shown(ShopViews& views) {
    bool shown = true;
    views.for_each([&](std::string_view, auto& view) {
        shown = shown && !view.list({.limit = 1}, recount::strong().serve_stale()).stale;
    });
    return shown;
}

/// Waits until the views, told by other processes, show no order under way and lack no event.
bool wait_for_others(recount::EventStore& store, const std::string& url, Progress& progress,
                     std::int64_t rows, std::int64_t before, const std::stop_token& stop) {
    ShopViews views{store, url};
    for (;;) {
        // Every order that was sent is shown first, then that it has ended, and what ended it.
        if (all_is_shown(views) && totals(views).orders_open == 0 && all_is_shown(views)) {
            return true;
        }
        progress.show(rows, events_in(store) - before);
        if (!store.environment().scheduler.sleep(200ms, stop)) return false;
    }
}

}  // namespace

int replay(const ReplayArguments& arguments, std::stop_token stop) {
    const FileTotals file = validate(arguments.data);  // before there is any store
    const auto store = recount::open_store(arguments.store);
    Repositories shop{*store};
    const std::int64_t before = events_in(*store);
    Progress progress{file.rows, store->environment()};

    std::unique_ptr<Engines> engines;
    if (!arguments.elsewhere) {
        engines = std::make_unique<Engines>(*store, shop, arguments.views);
    }
    Replay replaying{*store, shop};
    const ReplayResult result = replaying.run(arguments.data, file, [&](std::int64_t rows) {
        if (engines) engines->between_commits();
        if (progress.due()) progress.show(rows, events_in(*store) - before);
        return !stop.stop_requested();
    });

    bool caught_up = result.finished;
    if (caught_up) {
        caught_up =
            engines ? engines->finish(stop)
                    : wait_for_others(*store, arguments.views, progress, result.rows, before, stop);
    }
    progress.finish(result.rows, events_in(*store) - before,
                    caught_up ? "views and sagas have caught up" : "stopped; start it again");
    if (!caught_up) return stopped;
    return report_refusals(result);
}

}  // namespace shop
