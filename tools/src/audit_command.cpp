#include <atomic>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include "audit_bookmark.hpp"
#include "commands.hpp"
#include "event_json.hpp"
#include "interrupt.hpp"

namespace recount::tools {

namespace {

constexpr Duration look_up = std::chrono::milliseconds{50};  // for Ctrl-C

struct Arguments {
    AuditOptions options;
    std::string resume;  // a file; empty: each time from the beginning
    bool follow = false;
    double interval = 10;  // seconds
};

const char* word(AuditVerdict verdict) {
    switch (verdict) {
        case AuditVerdict::equal:
            return "equal";
        case AuditVerdict::differs:
            return "differs";
        case AuditVerdict::unknown:
            break;
    }
    return "unknown";
}

int exit_code(AuditVerdict verdict) {
    if (verdict == AuditVerdict::equal) return ok;
    return verdict == AuditVerdict::differs ? problem : unavailable;
}

Json finding_json(const AuditFinding& found) {
    Json json;
    json["finding"] = to_string(found.kind);
    json["partition"] = found.partition.value;
    if (found.first > 0) {
        json["first"] = found.first;
        json["last"] = found.last;
    }
    if (found.offset >= 0) json["offset"] = found.offset;
    if (!found.field.empty()) json["field"] = found.field;
    json["what"] = found.what;
    return json;
}

Json report_json(const AuditReport& report) {
    Json json;
    json["verdict"] = word(report.verdict());
    json["topic"] = report.topic;
    json["proved"] = report.proved();
    json["behind"] = report.behind();
    json["differences"] = report.differences;
    json["replayed"] = report.replayed;
    json["foreign"] = report.foreign;
    json["unforgotten"] = report.unforgotten;
    json["relay_at"] = report.relay_at ? Json(to_string(*report.relay_at)) : Json(nullptr);
    if (!report.unknown.empty()) json["unknown"] = report.unknown;
    json["partitions"] = Json::array();
    for (const auto& partition : report.partitions) {
        json["partitions"].push_back(Json{{"proved", partition.proved.n},
                                          {"hash", to_string(partition.proved.hash)},
                                          {"offset", partition.proved.offset},
                                          {"head", partition.head},
                                          {"behind", partition.behind()}});
    }
    return json;
}

class Printer {
public:
    explicit Printer(Context& context) : context_(context) {}

    void print(const AuditFinding& found) {
        if (context_.json) {
            line(one_line(finding_json(found)));
        } else {
            line(std::string{to_string(found.kind)} + ": " + found.what);
        }
    }

    void print(const AuditReport& report) {
        if (context_.json) return line(one_line(report_json(report)));
        std::string text = std::string{word(report.verdict())} + ": " +
                           std::to_string(report.proved()) + " events of " + report.topic +
                           " are proved to be the store's";
        if (report.differences > 0) text += ", " + std::to_string(report.differences) + " are not";
        text += "; " + std::to_string(report.behind()) + " behind the store";
        const auto also = [&](std::int64_t count, const char* what) {
            if (count > 0) text += "; " + std::to_string(count) + what;
        };
        also(report.replayed, " replays");
        also(report.foreign, " foreign records");
        also(report.unforgotten, " payloads that are erased in the store");
        if (!report.unknown.empty()) text += "\n  could not be told: " + report.unknown;
        line(text + "\n  proved/head" + places(report));
    }

private:
    static std::string places(const AuditReport& report) {
        std::string text;
        for (std::size_t index = 0; index < report.partitions.size(); ++index) {
            const auto& partition = report.partitions[index];
            text += "  " + std::to_string(index) + ":" + std::to_string(partition.proved.n) + "/" +
                    std::to_string(partition.head);
        }
        return text;
    }
    void line(const std::string& text) { context_.out << text << '\n' << std::flush; }

    Context& context_;
};

/// Nothing unless one is asked for.
std::optional<AuditBookmark> bookmark_of(const Arguments& arguments, EventStore& store) {
    if (arguments.resume.empty()) return {};
    const KafkaTopic& topic = arguments.options.topic;
    return AuditBookmark{
        arguments.resume,
        "recount audit of store " + to_string(store.identity().id) + " in topic " + topic.name,
        topic.log(store.incarnations().size() - 1)};
}

/// Whether it could be kept; what the audit found does not depend on it.
bool keep(Context& context, const std::optional<AuditBookmark>& bookmark,
          const std::vector<AuditPlace>& places) {
    try {
        if (bookmark) bookmark->keep(places);
        return true;
    } catch (const Error& error) {
        context.err << "recount: " << error.what() << '\n';
        return false;
    }
}

int once(Context& context, Arguments& arguments) {
    const auto store = open_store(context.url(), {.create = false, .read_only = true});
    Printer printer{context};
    const auto bookmark = bookmark_of(arguments, *store);
    if (bookmark) arguments.options.from = bookmark->read();
    arguments.options.on_finding = [&](const AuditFinding& found) { printer.print(found); };
    Audit audit{*store, arguments.options};
    const auto report = audit.catch_up();
    printer.print(report);
    const bool kept = keep(context, bookmark, audit.proved());
    const int code = exit_code(report.verdict());
    return kept || code != ok ? code : unavailable;
}

/// One store as it was opened, until Ctrl-C or until it has to be opened again.
std::string follow_one(EventStore& store, Audit& audit) {
    std::string why;
    std::atomic<bool> ended{false};
    auto& scheduler = store.environment().scheduler;
    const auto task = scheduler.spawn("audit", [&](std::stop_token stop) {
        why = audit.run(std::move(stop));
        ended = true;
    });
    while (!Interrupt::happened() && !ended) scheduler.sleep(look_up);
    task->request_stop();
    task->join();
    return why;
}

std::vector<AuditPlace> places(const AuditReport& report) {
    std::vector<AuditPlace> all;
    for (const auto& partition : report.partitions) all.push_back(partition.proved);
    return all;
}

int follow(Context& context, Arguments& arguments) {
    const Interrupt interrupt;
    Printer printer{context};
    arguments.options.heartbeat =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(arguments.interval));
    arguments.options.on_finding = [&](const AuditFinding& found) { printer.print(found); };
    bool differed = false;
    while (true) {
        std::unique_ptr<EventStore> store;
        try {
            store = open_store(context.url(), {.create = false, .read_only = true});
        } catch (const Error& error) {
            if (!differed) throw;
            context.err << "recount: " << error.what() << '\n';
            return problem;
        }
        const auto bookmark = bookmark_of(arguments, *store);
        if (bookmark) arguments.options.from = bookmark->read();
        arguments.options.on_heartbeat = [&](const AuditReport& report) {
            printer.print(report);
            if (bookmark) bookmark->keep(places(report));
            if (!context.out) throw Error("what was found could not be printed");
        };
        Audit audit{*store, arguments.options};
        const std::string why = follow_one(*store, audit);
        differed = differed || audit.report().differences > 0;
        if (Interrupt::happened()) {
            const bool kept = keep(context, bookmark, audit.proved());
            const int code = differed ? problem : exit_code(audit.report().verdict());
            return kept || code != ok ? code : unavailable;
        }
        context.err << "recount: " << why << '\n';
        if (!context.out) return differed ? problem : unavailable;
        if (store->incarnations().back().id == store->identity().incarnation) {
            return differed ? problem : bad_usage;
        }
    }
}

}  // namespace

void add_audit_command(CLI::App& app, Context& context) {
    auto arguments = std::make_shared<Arguments>();
    AuditOptions& options = arguments->options;
    CLI::App* command = app.add_subcommand(
        "audit", "Prove that a topic holds what its store holds; writes nothing to either");
    add_store_option(*command, context);
    command->add_option("--topic", options.topic.name, "The topics' name: NAME.log, NAME.heads")
        ->required();
    add_kafka_options(*command, options.topic, options.broker_timeout);
    command->add_option("--withhold", options.withhold,
                        "Categories whose payloads the relay withholds (saga)");
    command->add_option("--source", options.source, "The relay's CloudEvents source");
    command->add_flag("--allow-retention", options.allow_retention,
                      "The topic may begin behind the first event");
    command->add_option("--resume", arguments->resume,
                        "A file that keeps how far this audit came, for the next one to go on");
    command->add_flag("--follow", arguments->follow, "Go on until Ctrl-C");
    command->add_option("--interval", arguments->interval, "Seconds between two heartbeats (10)")
        ->check(CLI::PositiveNumber);
    command->callback([&context, arguments] {
        context.chosen = [&context, arguments] {
            return arguments->follow ? follow(context, *arguments) : once(context, *arguments);
        };
    });
}

}  // namespace recount::tools
