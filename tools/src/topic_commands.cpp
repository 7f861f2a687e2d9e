#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>

#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include "commands.hpp"
#include "event_json.hpp"

namespace recount::tools {

namespace {

struct Arguments {
    KafkaTopic topic;
    TopicRules rules;
    std::optional<std::int64_t> record_bytes;
    bool measure = false;
    std::size_t incarnation = 0;
};

/// Partitions and incarnation are the store's when there is one, and what it holds must fit.
void ask_store(Context& context, Arguments& arguments) {
    if (arguments.record_bytes) arguments.rules.record_bytes = *arguments.record_bytes;
    if (context.store.empty()) return;
    const auto store = open_store(context.store, {.create = false, .read_only = true});
    arguments.rules.partitions = store->identity().partitions;
    arguments.incarnation = store->incarnations().size() - 1;
    if (!arguments.record_bytes) arguments.rules.record_bytes = largest_record(store->limits());
    if (!arguments.measure) return;
    arguments.rules.record_bytes = std::max(arguments.rules.record_bytes, largest_record(*store));
}

Json problem_json(const TopicProblem& problem) {
    Json json;
    json["topic"] = problem.topic;
    json["problem"] = problem.setting.empty() ? "missing" : problem.setting;
    json["found"] = problem.setting.empty() ? Json(nullptr) : Json(problem.found);
    json["expected"] = problem.setting.empty() ? Json(nullptr) : Json(problem.expected);
    json["why"] = problem.why;
    json["mend"] = problem.mend;
    json["advice"] = problem.advice;
    return json;
}

void print(Context& context, const TopicProblem& problem) {
    if (context.json) {
        context.out << one_line(problem_json(problem)) << '\n';
        return;
    }
    context.out << (problem.advice ? "advice   " : "problem  ") << problem.topic;
    if (problem.setting.empty()) {
        context.out << " does not exist";
    } else {
        context.out << ": " << problem.setting << " is " << problem.found << ", expected "
                    << problem.expected;
    }
    context.out << "\n  why      " << problem.why << "\n  mend     " << problem.mend << '\n';
}

void print_fine(Context& context, const Arguments& arguments, const char* what) {
    const std::string log = arguments.topic.log(arguments.incarnation);
    if (context.json) {
        context.out << one_line({{"ok", true}, {"log", log}, {"heads", arguments.topic.heads()}})
                    << '\n';
    } else {
        context.out << what << ": " << log << " with " << arguments.rules.partitions
                    << " partitions, " << arguments.topic.heads() << '\n';
    }
}

int check(Context& context, Arguments& arguments) {
    ask_store(context, arguments);
    const auto problems = inspect_topics(arguments.topic, arguments.rules, arguments.incarnation);
    for (const auto& problem : problems) print(context, problem);
    if (std::any_of(problems.begin(), problems.end(),
                    [](const TopicProblem& one) { return !one.advice; })) {
        return problem;
    }
    print_fine(context, arguments, "ok");
    return ok;
}

int create(Context& context, Arguments& arguments) {
    ask_store(context, arguments);
    try {
        create_topics(arguments.topic, {.partitions = arguments.rules.partitions,
                                        .replication = arguments.rules.replication,
                                        .record_bytes = arguments.rules.record_bytes,
                                        .incarnation = arguments.incarnation,
                                        .allow_retention = arguments.rules.allow_retention,
                                        .timeout = arguments.rules.timeout});
    } catch (const Mismatch& error) {
        context.err << "recount: " << error.what() << '\n';
        return problem;
    }
    print_fine(context, arguments, "there");
    return ok;
}

void add_command(CLI::App& room, Context& context, const char* name, const char* help,
                 int (*run)(Context&, Arguments&)) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = room.add_subcommand(name, help);
    command->add_option("NAME", arguments->topic.name, "Of the topics NAME.log and NAME.heads")
        ->required();
    add_kafka_options(*command, arguments->topic, arguments->rules.timeout);
    auto* store = command->add_option("--store", context.store,
                                      "The store's URL, which tells partitions and incarnation");
    auto* partitions = command->add_option("--partitions", arguments->rules.partitions,
                                           "The store's, when it is not at hand (16)");
    partitions->check(CLI::Range(1, 1024))->excludes(store);
    command
        ->add_option("--replication", arguments->rules.replication,
                     "Replicas; 0: three, or as many as there are brokers")
        ->check(CLI::NonNegativeNumber);
    command
        ->add_option("--record-bytes", arguments->record_bytes,
                     "The largest record: the event_bytes that programs have and 20480 (1048576)")
        ->check(CLI::PositiveNumber);
    command
        ->add_flag("--measure", arguments->measure,
                   "Read the whole store for its largest record, which must fit, too")
        ->needs(store);
    command->add_flag("--allow-retention", arguments->rules.allow_retention,
                      "Old events may be deleted");
    command->callback([&context, arguments, run] {
        context.chosen = [&context, arguments, run] { return run(context, *arguments); };
    });
}

}  // namespace

void add_kafka_options(CLI::App& command, KafkaTopic& topic, Duration& timeout) {
    command.add_option("--kafka", topic.brokers,
                       "Brokers, host:port,host:port (KAFKA_BOOTSTRAP_SERVERS); RECOUNT_KAFKA_* "
                       "has the rest");
    command
        .add_option_function<double>(
            "--timeout",
            [&timeout](double seconds) {
                timeout =
                    std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
            },
            "Seconds that brokers have for one answer, at most 600 (20)")
        ->check(CLI::Range(0.001, 600.0));
}

void add_topic_commands(CLI::App& app, Context& context) {
    CLI::App* room = app.add_subcommand("topic", "Make and check the topics that carry a log");
    room->require_subcommand(1);
    add_command(*room, context, "check",
                "What is set so that events would be lost, and the command that mends it", check);
    add_command(*room, context, "create", "Make those that are not there, as they must be", create);
}

}  // namespace recount::tools
