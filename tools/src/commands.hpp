#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include <recount/eventstore/event_store.hpp>
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
    std::string store;  // --store; empty: it was not given
    bool json = false;  // --json
    std::function<int()> chosen;

    /// The store that was asked for: what is given wins over the environment. Throws
    /// InvalidArgument when neither says it.
    [[nodiscard]] std::string url() const;
};

/// Each adds one room of the program: its subcommands, their options, what they run.
void add_store_commands(CLI::App& app, Context& context);
void add_stream_commands(CLI::App& app, Context& context);
void add_log_commands(CLI::App& app, Context& context);
void add_topic_commands(CLI::App& app, Context& context);
void add_audit_command(CLI::App& app, Context& context);

/// --store, for which RECOUNT_STORE may stand in. CLI11 would read the environment for commands
/// that are not chosen, too, and they share the context.
void add_store_option(CLI::App& command, Context& context);
/// Says on stderr that nothing was printed because nothing matched; empty parts were not asked for.
void say_nothing_matched(Context& context, const EventStore& store, const std::string& category,
                         const std::string& type = {});
/// --kafka and --timeout, for whatever talks to brokers.
void add_kafka_options(CLI::App& command, KafkaTopic& topic, Duration& timeout);

}  // namespace recount::tools
