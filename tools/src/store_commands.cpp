#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include <recount/eventstore.hpp>

#include "commands.hpp"
#include "event_json.hpp"

namespace recount::tools {

namespace {

Json head_json(std::int32_t partition, const LogHead& head) {
    Json json;
    json["partition"] = partition;
    json["position"] = head.n;
    json["recorded_at"] = head.n > 0 ? Json(to_string(head.recorded_at)) : Json(nullptr);
    json["hash"] = to_string(head.hash);
    return json;
}

std::int64_t total(const std::vector<LogHead>& heads) {
    std::int64_t events = 0;
    for (const LogHead& head : heads) events += head.n;
    return events;
}

void print_identity(Context& context, EventStore& store, const std::vector<LogHead>& heads) {
    const StoreIdentity& identity = store.identity();
    const auto incarnations = store.incarnations();
    if (context.json) {
        Json json;
        json["store"] = to_string(identity.id);
        json["name"] = identity.name;
        json["partitions"] = identity.partitions;
        json["incarnation"] = to_string(identity.incarnation);
        json["incarnations"] = incarnations.size();
        json["events"] = total(heads);
        context.out << one_line(json) << '\n';
        return;
    }
    context.out << "store        " << to_string(identity.id) << "  (" << identity.name << ")\n"
                << "incarnation  " << to_string(identity.incarnation) << "  (the "
                << incarnations.size() << ". of this store)\n"
                << "partitions   " << identity.partitions << '\n'
                << "events       " << total(heads) << '\n';
}

int status(Context& context) {
    const auto store = open_store(context.url(), {.create = false, .read_only = true});
    const auto heads = store->heads();
    print_identity(context, *store, heads);
    for (std::int32_t p = 0; p < store->identity().partitions; ++p) {
        const LogHead& head = heads[static_cast<std::size_t>(p)];
        if (context.json) {
            context.out << one_line(head_json(p, head)) << '\n';
        } else if (head.n > 0) {
            context.out << "  partition " << p << "  " << head.n << " events, the last at "
                        << to_string(head.recorded_at) << '\n';
        }
    }
    return ok;
}

int verify_chain(Context& context) {
    const auto store = open_store(context.url(), {.create = false, .read_only = true});
    const auto heads = store->verify_chain();
    if (context.json) {
        context.out << one_line({{"verified", total(heads)}, {"partitions", heads.size()}}) << '\n';
    } else {
        context.out << "verified " << total(heads) << " events in " << heads.size()
                    << " partitions: every hash follows from the one before\n";
    }
    return ok;
}

int init(Context& context, std::int32_t partitions) {
    StoreOptions options;
    if (partitions > 0) options.partitions = partitions;
    const auto store = open_store(context.url(), options);
    print_identity(context, *store, store->heads());
    return ok;
}

/// Opening a store runs every start check; what is wrong is thrown, and says how to mend it.
std::unique_ptr<EventStore> checked(Context& context) {
    try {
        return open_store(context.url(), {.create = false, .read_only = true});
    } catch (const Missing&) {
        throw;
    } catch (const Mismatch& error) {
        context.err << "recount: " << error.what() << '\n';
        if (context.json) {
            context.out << one_line({{"ok", false}, {"problem", error.what()}}) << '\n';
        }
        return nullptr;
    }
}

int check(Context& context) {
    const auto store = checked(context);
    if (store == nullptr) return problem;
    if (context.json) {
        context.out << one_line({{"ok", true},
                                 {"store", to_string(store->identity().id)},
                                 {"warnings", store->warnings()}})
                    << '\n';
        return ok;
    }
    context.out << "ok: " << store->identity().name << '\n';
    for (const std::string& each : store->warnings()) context.out << "warning: " << each << '\n';
    return ok;
}

int maintain(Context& context, double days) {
    const auto store = open_store(context.url(), {.create = false});
    MaintainOptions options;
    options.keep_outcomes = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double, std::ratio<86400>>(days));
    const Maintained done = store->maintain(options);
    if (context.json) {
        context.out << one_line({{"outcomes_removed", done.outcomes},
                                 {"horizon", to_string(done.horizon)}})
                    << '\n';
    } else {
        context.out << "removed what became of " << done.outcomes
                    << " commands; it is remembered from " << to_string(done.horizon) << " on\n";
    }
    return ok;
}

/// Whether the store itself tells that it was brought back: on PostgreSQL the server, or its
/// timeline, is another than that of the living incarnation. A file does not tell.
bool shows_a_restore(const std::string& url) {
    try {
        static_cast<void>(Leases::open(url)->acquire("restore", {}));
        return false;
    } catch (const Mismatch&) {
        return true;
    }
}

int restored(Context& context) {
    const bool shown = shows_a_restore(context.url());
    const Incarnation incarnation = declare_restored(context.url());
    if (!shown) {
        context.err
            << "recount: nothing in this store shows that it was brought back to an earlier "
               "state, and it may not have been. Declared all the same: nothing that it "
               "holds is lost; programs that have it open have to open it again; whoever "
               "saw events that it does not hold is refused; and each relay publishes the "
               "whole log anew, to a topic of the new incarnation\n";
    }
    if (context.json) {
        context.out << one_line({{"incarnation", to_string(incarnation.id)},
                                 {"parent", to_string(*incarnation.parent)},
                                 {"events", total(incarnation.forks)}})
                    << '\n';
    } else {
        context.out << "opened incarnation " << to_string(incarnation.id) << " behind "
                    << total(incarnation.forks)
                    << " events; what was seen of any later ones is refused from now on\n";
    }
    return ok;
}

CLI::App* command(CLI::App& room, Context& context, const char* name, const char* help) {
    CLI::App* app = room.add_subcommand(name, help);
    add_store_option(*app, context);
    return app;
}

}  // namespace

void add_store_commands(CLI::App& app, Context& context) {
    CLI::App* room = app.add_subcommand("store", "Create, look at and check a store");
    room->require_subcommand(1);
    auto choose = [&context](int (*run)(Context&)) {
        return [&context, run] { context.chosen = [&context, run] { return run(context); }; };
    };
    auto partitions = std::make_shared<std::int32_t>(0);
    CLI::App* create =
        command(*room, context, "init", "Create the store, or open it and run its checks");
    create
        ->add_option("--partitions", *partitions, "For a new store: 1 to 1024, fixed for ever (16)")
        ->check(CLI::Range(1, 1024));
    create->callback([&context, partitions] {
        context.chosen = [&context, partitions] { return init(context, *partitions); };
    });
    auto days = std::make_shared<double>(7);
    CLI::App* upkeep = command(*room, context, "maintain",
                               "Forget what became of old commands, in small transactions");
    upkeep->add_option("--keep-outcomes-days", *days, "What is younger is kept (7)")
        ->check(CLI::Range(0.0, 36500.0));  // the store says what is too short
    upkeep->callback([&context, days] {
        context.chosen = [&context, days] { return maintain(context, *days); };
    });
    command(*room, context, "declare-restored",
            "Say that the store was brought back to an earlier state, and go on from there")
        ->callback(choose(restored));
    command(*room, context, "check", "Run every check that is made at a start")
        ->callback(choose(check));
    command(*room, context, "status", "Identity, partitions, heads")->callback(choose(status));
    command(*room, context, "verify-chain",
            "Recompute every hash and digest; names the first bad event")
        ->callback(choose(verify_chain));
}

}  // namespace recount::tools
