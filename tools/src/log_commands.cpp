#include <memory>

#include <CLI/CLI.hpp>

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include "commands.hpp"
#include "log_printing.hpp"

namespace recount::tools {

namespace {

std::unique_ptr<EventStore> open(const Context& context, const LogRange& range) {
    auto store = open_store(context.url(), {.create = false, .read_only = true});
    if (range.partition >= store->identity().partitions) {
        throw InvalidArgument("partition " + std::to_string(range.partition) + " of " +
                              std::to_string(store->identity().partitions) + "; they count from 0");
    }
    return store;
}

int show(Context& context, const LogRange& range) {
    const auto store = open(context, range);
    if (show_log(context, *store, range) == 0) {
        say_nothing_matched(context, *store, range.category, range.type);
    }
    return ok;
}

int tail(Context& context, const LogRange& range) {
    tail_log(context, *open(context, range), range);
    return ok;
}

CLI::App* command(CLI::App& room, Context& context, LogRange& range, const char* name,
                  const char* help) {
    CLI::App* app = room.add_subcommand(name, help);
    add_store_option(*app, context);
    app->add_option("--partition", range.partition, "Only this one; they count from 0")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--category", range.category, "Only streams of this one, the part before '-'");
    app->add_option("--type", range.type, "Only events of this type (a protobuf full name)");
    app->add_option("--limit", range.limit, "At most so many events")->check(CLI::PositiveNumber);
    return app;
}

}  // namespace

void add_log_commands(CLI::App& app, Context& context) {
    CLI::App* room = app.add_subcommand("log", "Read the log, partition by partition");
    room->require_subcommand(1);
    auto range = std::make_shared<LogRange>();
    CLI::App* show_app = command(*room, context, *range, "show", "What the log holds");
    show_app->add_option("--after", range->after, "Start behind this position of --partition")
        ->check(CLI::NonNegativeNumber)
        ->needs("--partition");
    show_app->callback([&context, range] {
        context.chosen = [&context, range] { return show(context, *range); };
    });
    command(*room, context, *range, "tail", "What is appended from now on, until Ctrl-C")
        ->callback([&context, range] {
            context.chosen = [&context, range] { return tail(context, *range); };
        });
}

}  // namespace recount::tools
