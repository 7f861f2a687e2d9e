#include <recount/eventstore.hpp>
#include <recount/projections.hpp>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

#include "programs.hpp"
#include "report.hpp"

namespace shop {

namespace {

std::unique_ptr<recount::EventStore> open_to_read(const ReadArguments& arguments) {
    return recount::open_store(arguments.store, {.create = false, .read_only = true});
}

/// A place without views may be another than was meant.
std::vector<recount::ViewInfo> views_of(const ReadArguments& arguments) {
    const std::string& url = arguments.views.empty() ? arguments.store : arguments.views;
    auto views = recount::list_views(url);
    if (views.empty()) {
        throw std::runtime_error(
            "there are no views yet beside the store that --views or --store "
            "names; replay a file first, or correct the URL");
    }
    return views;
}

}  // namespace

int report(const ReadArguments& arguments) {
    const auto store = open_to_read(arguments);
    ShopViews views{*store, arguments.views};
    report(views, arguments.name, arguments.json ? ReportForm::json_lines : ReportForm::table,
           std::cout);
    return done;
}

int list_views(const ReadArguments& arguments) {
    for (const recount::ViewInfo& view : views_of(arguments)) {
        std::cout << view.view << " version " << view.version << " (" << view.state
                  << "): " << view.place << ", tables";
        for (const std::string& table : view.tables) std::cout << " " << table;
        std::cout << '\n';
    }
    return done;
}

int totals(const ReadArguments& arguments) {
    const auto store = open_to_read(arguments);
    views_of(arguments);
    ShopViews views{*store, arguments.views};
    print(totals(views), std::cout);
    return done;
}

}  // namespace shop
