#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include <recount/outbox/kafka_topic.hpp>
#include <recount/tools.hpp>

namespace CLI {
class App;
}

namespace recount::tools {

/// Where a command prints, and what the chosen one will do once all arguments are read.
struct Context {
    std::ostream& out;
    std::ostream& err;
    std::string store;  // --store
    bool json = false;  // --json
    std::function<int()> chosen;
};

/// Each adds one room of the program: its subcommands, their options, what they run.
void add_store_commands(CLI::App& app, Context& context);
void add_stream_commands(CLI::App& app, Context& context);
void add_log_commands(CLI::App& app, Context& context);
void add_topic_commands(CLI::App& app, Context& context);
void add_audit_command(CLI::App& app, Context& context);

/// --kafka and --timeout, for whatever talks to brokers.
void add_kafka_options(CLI::App& command, KafkaTopic& topic, Duration& timeout);

}  // namespace recount::tools
