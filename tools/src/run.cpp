#include <recount/tools.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <ostream>

#include <CLI/CLI.hpp>

#include <recount/core/error.hpp>

#include "commands.hpp"

namespace recount::tools {

std::string Context::url() const {
    if (!store.empty()) return store;
    const char* const set = std::getenv("RECOUNT_STORE");
    if (set != nullptr && *set != '\0') return set;
    throw InvalidArgument("--store is required: give the store's URL, or set RECOUNT_STORE to it");
}

void add_store_option(CLI::App& command, Context& context) {
    const auto not_empty = [](const std::string& url) {
        return std::string{url.empty() ? "an empty URL names no store" : ""};
    };
    command.add_option("--store", context.store, "The store's URL; without it, RECOUNT_STORE")
        ->check(not_empty);
}

void say_nothing_matched(Context& context, const EventStore& store, const std::string& category,
                         const std::string& type) {
    std::string wanted;
    if (!category.empty()) wanted = "of category '" + category + "'";
    if (!type.empty()) wanted += (wanted.empty() ? "" : " and ") + ("of type '" + type + "'");
    if (wanted.empty()) return;
    context.err << "recount: nothing " << wanted << " in what was looked through of "
                << store.identity().name << "; without the filter all is listed\n";
}

namespace {

/// What is no command, with those that there are; empty when each word up to the command is one.
/// CLI11 would only say that a subcommand is required.
std::string unknown_command(const CLI::App& app, int argc, const char* const* argv) {
    const CLI::App* room = &app;
    for (int index = 1; index < argc && room->get_require_subcommand_min() > 0; ++index) {
        const std::string word = argv[index];
        if (word.starts_with('-')) continue;
        const auto commands = room->get_subcommands({});
        const auto named = std::ranges::find(commands, word, &CLI::App::get_name);
        if (named != commands.end()) {
            room = *named;
            continue;
        }
        std::string text = app.get_name() + (room == &app ? "" : " " + room->get_name()) +
                           " has no command '" + word + "'; it has:";
        for (const CLI::App* each : commands) text += " " + each->get_name();
        return text;
    }
    return {};
}

}  // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
    CLI::App app{"recount: looks into event stores and keeps them in order", "recount"};
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 all is well; 1 a check failed or the history is broken;\n"
        "2 bad usage, or no such store; 3 store or brokers could not be reached, it could\n"
        "not be told, or what was to be printed could not be written.");
    Context context{out, err, {}, false, {}};
    app.set_version_flag("--version", "recount " RECOUNT_VERSION);
    app.add_flag("--json", context.json, "One JSON object a line");
    app.fallthrough();
    add_store_commands(app, context);
    add_stream_commands(app, context);
    add_log_commands(app, context);
    add_topic_commands(app, context);
    add_audit_command(app, context);
    if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
        err << unknown << '\n';
        return bad_usage;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error, out, err) == 0 ? ok : bad_usage;
    }
    try {
        return context.chosen();
    } catch (const Divergence& error) {
        err << "recount: " << error.what() << '\n';
        return problem;
    } catch (const Error& error) {
        err << "recount: " << error.what() << '\n';
        return error.retryable() ? unavailable : bad_usage;
    } catch (const std::exception& error) {
        err << "recount: " << error.what() << '\n';
        return unavailable;
    }
}

}  // namespace recount::tools
