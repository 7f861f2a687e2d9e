#include <limits>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include <recount/eventstore.hpp>

#include "commands.hpp"
#include "event_json.hpp"
#include "interrupt.hpp"

namespace recount::tools {

namespace {

struct Range {
    std::int32_t partition = -1;  // all
    std::int64_t after = 0;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    std::string category;
    std::string type;
};

/// Prints what is there behind `place`, partition by partition, and moves it on.
class Printer {
public:
    Printer(Context& context, EventStore& store, const Range& range)
        : context_(context), store_(store), range_(range), events_(store) {}

    bool done() const { return printed_ >= range_.limit || Interrupt::happened(); }

    void print_behind(Positions& place) {
        for (std::int32_t p = 0; p < store_.identity().partitions && !done(); ++p) {
            if (range_.partition >= 0 && p != range_.partition) continue;
            print_partition(Partition{p}, place);
        }
        context_.out.flush();
    }

private:
    void print_partition(Partition partition, Positions& place) {
        ReadLog options{.max_events = 500};
        if (!range_.category.empty()) options.filter.categories = {range_.category};
        if (!range_.type.empty()) options.filter.types = {range_.type};
        for (bool end = false; !end && !done();) {
            const LogPage page = store_.read(partition, place[partition], options);
            for (const RecordedEvent& event : page.events) {
                if (done()) return;
                print(event);
            }
            place.set({partition, page.upto});
            end = page.end;
        }
    }

    void print(const RecordedEvent& event) {
        context_.out << (context_.json ? events_.json(event).dump() : events_.line(event)) << '\n';
        ++printed_;
    }

    Context& context_;
    EventStore& store_;
    const Range& range_;
    EventPrinter events_;
    std::size_t printed_ = 0;
};

std::unique_ptr<EventStore> open(const Context& context, const Range& range) {
    auto store = open_store(context.store, {.create = false, .read_only = true});
    if (range.partition >= store->identity().partitions) {
        throw InvalidArgument("partition " + std::to_string(range.partition) + " of " +
                              std::to_string(store->identity().partitions) + "; they count from 0");
    }
    return store;
}

int show(Context& context, const Range& range) {
    const auto store = open(context, range);
    Positions place(static_cast<std::size_t>(store->identity().partitions));
    if (range.partition >= 0) place.set({Partition{range.partition}, range.after});
    Printer{context, *store, range}.print_behind(place);
    return ok;
}

/// From the head on, as events come, until interrupted.
int tail(Context& context, const Range& range) {
    const auto store = open(context, range);
    Positions place(static_cast<std::size_t>(store->identity().partitions));
    const auto heads = store->heads();
    for (std::int32_t p = 0; p < store->identity().partitions; ++p) {
        place.set({Partition{p}, heads[static_cast<std::size_t>(p)].n});
    }
    const Interrupt interrupt;
    for (Printer printer{context, *store, range}; !printer.done();) {
        printer.print_behind(place);
        if (!printer.done()) store->wait(place, std::chrono::milliseconds{500});
    }
    return ok;
}

CLI::App* command(CLI::App& room, Context& context, Range& range, const char* name,
                  const char* help) {
    CLI::App* app = room.add_subcommand(name, help);
    app->add_option("--store", context.store, "The store's URL")
        ->required()
        ->envname("RECOUNT_STORE");
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
    auto range = std::make_shared<Range>();
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
