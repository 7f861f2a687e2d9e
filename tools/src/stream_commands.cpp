#include <limits>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>

#include <recount/eventstore.hpp>

#include "commands.hpp"
#include "event_json.hpp"

namespace recount::tools {

namespace {

struct Show {
    std::string stream;
    std::string until;
    std::int64_t from = 1;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
};

int show(Context& context, const Show& options) {
    const auto store = open_store(context.url(), {.create = false, .read_only = true});
    const StreamName stream = StreamName::parse(options.stream);
    std::optional<Timestamp> until;
    if (!options.until.empty()) until = parse_timestamp(options.until);
    EventPrinter printer{*store};
    std::int64_t from = options.from;
    std::size_t left = options.limit;
    for (;;) {
        const StreamPage page =
            store->read_stream(stream, {.from = Version{from},
                                        .max_events = std::min<std::size_t>(left, 500),
                                        .until = until});
        if (page.head.value == 0) {
            context.err << "recount: " << stream.full() << " has no events in "
                        << store->identity().name << "; `recount log show` lists what there is\n";
            return bad_usage;
        }
        for (const RecordedEvent& event : page.events) {
            context.out << (context.json ? one_line(printer.json(event)) : printer.line(event))
                        << '\n';
            from = event.at.version.value + 1;
            --left;
        }
        const bool end = page.end || left == 0 || page.events.empty();
        const bool shown = !until || from > page.head.value;
        if (end && page.closed && shown && !context.json) {
            context.out << "closed at version " << page.head.value << '\n';
        }
        if (end) return ok;
    }
}

struct Close {
    std::string stream, command_id, reason;
};

int close(Context& context, const Close& options) {
    const auto store = open_store(context.url(), {.create = false});
    const StreamName stream = StreamName::parse(options.stream);
    const AppendResult result =
        store->close_stream(stream, {.command_id = options.command_id}, options.reason);
    if (result.kind == AppendResult::Kind::conflict) {
        context.err << "recount: " << stream.full() << " has no events in "
                    << store->identity().name << "; `recount stream list` lists what there is\n";
        return bad_usage;
    }
    const StreamPage page =
        store->read_stream(stream, {.from = Version{1}, .max_events = 1, .max_bytes = 1});
    if (context.json) {
        context.out << one_line({{"stream", stream.full()},
                                 {"version", page.head.value},
                                 {"closed", page.closed}})
                    << '\n';
    } else if (page.closed) {
        context.out << stream.full() << " is closed at version " << page.head.value << '\n';
    } else {
        context.err << "recount: " << stream.full() << " is still open, because command id "
                    << options.command_id << " was voided; use another\n";
    }
    return page.closed ? ok : problem;
}

void add_close(CLI::App& room, Context& context) {
    auto options = std::make_shared<Close>();
    CLI::App* command = room.add_subcommand("close", "Closes a stream: nothing can follow, ever");
    add_store_option(*command, context);
    command->add_option("stream", options->stream, "Its name, category-id")->required();
    command->add_option("--command-id", options->command_id, "Makes it happen once, if repeated");
    command->add_option("--reason", options->reason, "For people; no personal data");
    command->callback([&context, options] {
        context.chosen = [&context, options] { return close(context, *options); };
    });
}

struct Erase {
    std::string stream;
    std::int64_t from = 0, to = 0;
};

int erase(Context& context, const Erase& options) {
    const auto store = open_store(context.url(), {.create = false});
    const StreamName stream = StreamName::parse(options.stream);
    const Version head =
        store->read_stream(stream, {.from = Version{1}, .max_events = 1, .max_bytes = 1}).head;
    if (Version{options.to} > head) {
        context.err << "recount: " << stream.full() << " has " << head.value << " events in "
                    << store->identity().name << "; nothing was erased\n";
        return bad_usage;
    }
    const std::int64_t erased = store->erase(stream, Version{options.from}, Version{options.to});
    if (context.json) {
        context.out << one_line({{"stream", stream.full()}, {"erased", erased}}) << '\n';
    } else {
        context.out << "erased what " << erased << " events of " << stream.full()
                    << " said; their places, types and times remain\n";
    }
    return ok;
}

void add_erase(CLI::App& room, Context& context) {
    auto options = std::make_shared<Erase>();
    CLI::App* command =
        room.add_subcommand("erase", "Erases for ever what events of a stream said");
    add_store_option(*command, context);
    command->add_option("stream", options->stream, "Its name, category-id")->required();
    command->add_option("--from", options->from, "The first version to be erased")
        ->required()
        ->check(CLI::PositiveNumber);
    command->add_option("--to", options->to, "The last one")
        ->required()
        ->check(CLI::PositiveNumber);
    command->callback([&context, options] {
        context.chosen = [&context, options] { return erase(context, *options); };
    });
}

struct List {
    std::string category;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
};

int list(Context& context, const List& options) {
    const auto store = open_store(context.url(), {.create = false, .read_only = true});
    std::string after;
    std::size_t left = options.limit;
    while (left > 0) {
        const auto page =
            store->list_streams(options.category, after, std::min<std::size_t>(left, 500));
        if (page.empty()) break;
        for (const StreamHead& each : page) {
            if (context.json) {
                Json line{{"stream", each.stream.full()}, {"version", each.version.value}};
                if (each.closed) line["closed"] = true;
                context.out << one_line(line) << '\n';
            } else {
                context.out << each.stream.full() << "  " << each.version.value << " events"
                            << (each.closed ? ", closed" : "") << '\n';
            }
        }
        after = page.back().stream.full();
        left -= page.size();
    }
    if (left == options.limit) say_nothing_matched(context, *store, options.category);
    return ok;
}

void add_list(CLI::App& room, Context& context) {
    auto options = std::make_shared<List>();
    CLI::App* command = room.add_subcommand("list", "Streams and how many events each holds");
    add_store_option(*command, context);
    command->add_option("--category", options->category, "Only of this one, the part before '-'");
    command->add_option("--limit", options->limit, "At most so many streams")
        ->check(CLI::PositiveNumber);
    command->callback([&context, options] {
        context.chosen = [&context, options] { return list(context, *options); };
    });
}

}  // namespace

void add_stream_commands(CLI::App& app, Context& context) {
    CLI::App* room =
        app.add_subcommand("stream", "List streams, read single ones, close them, erase");
    room->require_subcommand(1);
    auto options = std::make_shared<Show>();
    CLI::App* command = room->add_subcommand("show", "The events of one stream, oldest first");
    add_store_option(*command, context);
    command->add_option("stream", options->stream, "Its name, category-id")->required();
    command->add_option("--from", options->from, "The first version to show")
        ->check(CLI::PositiveNumber);
    command->add_option("--limit", options->limit, "At most so many events")
        ->check(CLI::PositiveNumber);
    command->add_option("--until", options->until,
                        "Only what was recorded by then: 2026-11-21T09:14:00.000000Z");
    command->callback([&context, options] {
        context.chosen = [&context, options] { return show(context, *options); };
    });
    add_list(*room, context);
    add_close(*room, context);
    add_erase(*room, context);
}

}  // namespace recount::tools
