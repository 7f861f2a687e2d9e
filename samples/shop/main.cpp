#include <recount/core/error.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <iostream>
#include <string>

#include "csv.hpp"
#include "programs.hpp"
#include "signals.hpp"

namespace {

using shop::PartArguments;
using shop::ReadArguments;
using shop::ReplayArguments;
using shop::ServeArguments;

const char* const about =
    "A shop on recount: carts, stock, orders and payments.\n"
    "URL is sqlite:FILE, postgresql://USER@HOST:PORT/DATABASE?schema=NAME, or memory: to try a "
    "file.";
const char* const exit_codes =
    "Exit codes: 0 done, 1 failed (the last line says why), 2 bad file or arguments (nothing was\n"
    "appended), 130 ended by a signal (start it again: it goes on).";

/// What is needed by all that come after: the arguments, and what was chosen.
struct Program {
    CLI::App app{about};
    ReplayArguments replay{.data = shop::month_of_orders()};
    ServeArguments serve{.data = shop::month_of_orders()};
    ServeArguments demo{.store = "sqlite:build/shop/shop.db", .data = shop::month_of_orders()};
    ReadArguments read;
    PartArguments part;
    std::function<int(std::stop_token)> chosen;

    template <class Run>
    CLI::App* command(const std::string& name, const std::string& text, Run run) {
        CLI::App* added = app.add_subcommand(name, text);
        added->callback([this, run] { chosen = run; });
        return added;
    }
};

void add_store(CLI::App* command, std::string& store, std::string& views) {
    command->add_option("--store", store, "URL of the event store")->required();
    command->add_option("--views", views, "URL beside which the views stand (else the store's)");
}

void add_replay_and_serve(Program& program) {
    CLI::App* replay = program.command(
        "replay", "do again what a file of orders says, through the shop's rules",
        [&program](std::stop_token stop) { return shop::replay(program.replay, stop); });
    add_store(replay, program.replay.store, program.replay.views);
    replay->add_option("--data", program.replay.data, "file of orders (.csv or .csv.gz)");
    replay->add_flag("--elsewhere", program.replay.elsewhere,
                     "other processes project and run sagas: only wait until they have caught up");

    const auto add_page = [](CLI::App* command, ServeArguments& arguments) {
        command->add_option("--port", arguments.port, "another free one is taken when it is in use")
            ->capture_default_str();
        command
            ->add_option("--address", arguments.address,
                         "an IP address of this machine to serve at")
            ->capture_default_str();
        command->add_option("--data", arguments.data, "file of orders: what the shop offers");
    };
    CLI::App* serve = program.command(
        "serve", "serve the shop's page",
        [&program](std::stop_token stop) { return shop::serve(program.serve, stop); });
    add_store(serve, program.serve.store, program.serve.views);
    add_page(serve, program.serve);
    serve->add_flag("--elsewhere", program.serve.elsewhere,
                    "other processes project and run sagas");

    CLI::App* demo = program.command(
        "demo", "replay a month of orders, print the totals, serve the page",
        [&program](std::stop_token stop) { return shop::demo(program.demo, stop); });
    const auto lasting = [](const std::string& url) -> std::string {
        if (!url.starts_with("memory:")) return {};
        return "what was replayed would be gone before it is served; give sqlite:FILE";
    };
    demo->add_option("--store", program.demo.store, "URL of the event store")
        ->capture_default_str()
        ->check(lasting);
    add_page(demo, program.demo);
}

void add_reads(Program& program) {
    CLI::App* report = program.command("report", "print a view", [&program](std::stop_token) {
        return shop::report(program.read);
    });
    report->add_option("name", program.read.name, "stock_level, sales_by_month, …")->required();
    add_store(report, program.read.store, program.read.views);
    report->add_flag("--json", program.read.json,
                     "one JSON object a line, sorted by its first field");

    add_store(
        program.command("views", "print where the views stand: file or schema, and tables",
                        [&program](std::stop_token) { return shop::list_views(program.read); }),
        program.read.store, program.read.views);
    add_store(program.command("totals", "print what all rows of the views come to",
                              [&program](std::stop_token) { return shop::totals(program.read); }),
              program.read.store, program.read.views);
}

void add_parts(Program& program) {
    const auto add_kafka = [&program](CLI::App* command) {
        command->add_option("--kafka", program.part.brokers, "HOST:PORT,…")->required();
        command->add_option("--name", program.part.name, "of the topics")->capture_default_str();
    };
    CLI::App* relay = program.command(
        "relay", "publish the log to Kafka until stopped",
        [&program](std::stop_token stop) { return shop::relay(program.part, stop); });
    relay->add_option("--store", program.part.store, "URL of the event store")->required();
    add_kafka(relay);

    CLI::App* project = program.command(
        "project", "tell the views from Kafka until stopped",
        [&program](std::stop_token stop) { return shop::project(program.part, stop); });
    project->add_option("--views", program.part.views, "URL beside which the views stand")
        ->required();
    project->add_option("--store", program.part.store,
                        "where events missing in the topic are read");
    add_kafka(project);

    CLI::App* sagas = program.command(
        "sagas", "carry out sagas until stopped",
        [&program](std::stop_token stop) { return shop::sagas(program.part, stop); });
    sagas->add_option("--store", program.part.store, "URL of the event store")->required();
}

}  // namespace

int main(int argc, char** argv) {
    const shop::Signals signals;
    Program program;
    program.app.require_subcommand(1);
    program.app.footer(exit_codes);
    add_replay_and_serve(program);
    add_reads(program);
    add_parts(program);
    try {
        program.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.app.exit(error) == 0 ? shop::done : shop::bad_input;
    }
    try {
        const int code = program.chosen(signals.token());
        if (std::cout.flush() || code != shop::done) return code;
        std::cerr << "standard output could not be written to the end; see whether what is behind "
                     "it is full\n";
        return shop::failed;
    } catch (const shop::BadFile& error) {
        std::cerr << error.what() << '\n';
        return shop::bad_input;
    } catch (const recount::InvalidArgument& error) {
        std::cerr << error.what() << '\n';
        return shop::bad_input;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return shop::failed;
    }
}
