#include <recount/eventstore.hpp>
#include <recount/saga.hpp>

#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "engines.hpp"
#include "programs.hpp"
#include "report.hpp"
#include "shop_views.hpp"
#include "site.hpp"

namespace shop {

namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

void make_folder_of(const std::string& store) {
    if (!store.starts_with(sqlite_scheme)) return;
    const std::filesystem::path file{store.substr(sqlite_scheme.size())};
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
}

void announce(const HttpServer& server, const ServeArguments& arguments) {
    if (arguments.port != 0 && server.port() != arguments.port) {
        std::cout << "port " << arguments.port << " is taken, so this is port " << server.port()
                  << '\n';
    }
    const bool six = arguments.address.find(':') != std::string::npos;
    std::cout << "the shop is at http://"
              << (six ? "[" + arguments.address + "]" : arguments.address) << ":" << server.port()
              << "/  (Ctrl-C ends it)" << std::endl;
}

/// Throws what a server would that cannot be had there, before anything is done in vain.
void check_place(const ServeArguments& arguments) {
    const HttpServer server{{.address = arguments.address, .port = arguments.port}, {}};
}

/// Views and sagas, each in a thread of its own. Ends with the object: sagas first, then views.
class Workers {
public:
    Workers(recount::EventStore& store, Repositories& shop, const std::string& views)
        : projector_(store, {.views = views}), sagas_(store) {
        add_sagas(sagas_, shop);
        projecting_ = std::jthread{[this](std::stop_token stop) {
            const recount::RunEnd end = projector_.run(std::move(stop));
            if (!end.asked) std::cerr << "the views stopped: " << end.reason << '\n';
        }};
        coordinating_ = std::jthread{[this](std::stop_token stop) {
            const auto end = sagas_.run(std::move(stop));
            if (!end.asked) std::cerr << "the sagas stopped: " << end.reason << '\n';
        }};
    }

private:
    ShopProjector projector_;
    recount::SagaEngine sagas_;
    std::jthread projecting_, coordinating_;
};

}  // namespace

int serve(const ServeArguments& arguments, std::stop_token stop) {
    check_place(arguments);
    Catalogue catalogue{arguments.data};
    const auto store = recount::open_store(arguments.store);
    Repositories shop{*store};
    std::optional<Workers> workers;
    if (!arguments.elsewhere) workers.emplace(*store, shop, arguments.views);
    ShopViews views{*store, arguments.views};
    Site site{*store, shop, views, std::move(catalogue)};
    HttpServer server{{.address = arguments.address, .port = arguments.port},
                      [&site](const HttpRequest& request) { return site.answer(request); }};
    announce(server, arguments);
    server.run(std::move(stop));
    std::cout << "ended" << std::endl;
    return done;
}

int demo(const ServeArguments& arguments, std::stop_token stop) {
    check_place(arguments);
    make_folder_of(arguments.store);
    std::cout << "replaying " << arguments.data.filename().string() << " into " << arguments.store
              << std::endl;
    const int replayed = replay({.store = arguments.store, .data = arguments.data}, stop);
    if (replayed != done) return replayed;
    totals({.store = arguments.store});
    return serve(arguments, std::move(stop));
}

}  // namespace shop
