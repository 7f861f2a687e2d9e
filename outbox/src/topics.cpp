#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include <recount/core/error.hpp>
#include <recount/outbox/kafka_topic.hpp>

#include "topic_inspection.hpp"

namespace recount {
namespace {

constexpr std::string_view for_ever = "-1";
constexpr Duration look_again = std::chrono::milliseconds{20};

/// Kafka's rule, less the dots and underscores that collide in its metrics being warned about.
void check_name(const std::string& name) {
    constexpr std::size_t most = 200;  // Kafka's 249, less our suffixes
    const bool fits =
        !name.empty() && name.size() <= most && name != "." && name != ".." &&
        std::all_of(name.begin(), name.end(), [](unsigned char letter) {
            return std::isalnum(letter) != 0 || letter == '.' || letter == '_' || letter == '-';
        });
    if (!fits) {
        throw InvalidArgument("topic name '" + name +
                              "' is not 1 to 200 letters, digits, '.', '_' "
                              "or '-'; choose another");
    }
}

void inspect_log(const kafka::Settings& settings, const kafka::TopicSpec& log,
                 const TopicRules& rules, std::vector<TopicProblem>& problems) {
    TopicInspection inspection{settings, log, problems};
    inspection.partitions(rules.partitions,
                          "partition p of the store is partition p of the topic, and Kafka cannot "
                          "take partitions away",
                          "recount topic create OTHER_NAME, and let the relay fill it "
                          "(outbox/README.md, Partitions that were added)");
    inspection.expect("cleanup.policy", "delete",
                      "compaction keeps only the last event of each stream");
    if (!rules.allow_retention) {
        inspection.expect("retention.ms", std::string{for_ever}, "old events would be deleted");
        inspection.expect("retention.bytes", std::string{for_ever}, "old events would be deleted");
    }
    inspection.size(rules.record_bytes);
    inspection.times();
    inspection.replicas(rules.replication);
}

void inspect_heads(const kafka::Settings& settings, const kafka::TopicSpec& heads,
                   std::vector<TopicProblem>& problems) {
    TopicInspection inspection{settings, heads, problems};
    inspection.partitions(1, "a beat must be found whoever wrote it",
                          "kafka-topics.sh --bootstrap-server " + settings.at("bootstrap.servers") +
                              " --delete --topic " + heads.name +
                              ", then create it with: recount topic create");
    inspection.expect("cleanup.policy", "compact", "the last beat must stay");
    inspection.can_be_written();
}

/// Brokers learn of a new topic one after the other.
void make(kafka::Admin& admin, const kafka::TopicSpec& topic, Duration timeout) {
    Environment& environment = Environment::system();
    admin.create(topic, timeout);
    const auto until = environment.clock.steady() + timeout;
    while (!admin.ready(topic.name, timeout)) {
        if (environment.clock.steady() > until) {
            throw Unavailable("topic " + topic.name +
                              " was made, but its partitions have no leaders; check the brokers");
        }
        environment.scheduler.sleep(look_again);
    }
}

TopicProblem missing(const KafkaTopic& topic, const std::string& name) {
    return {.topic = name,
            .why = "nothing can be published",
            .mend = "recount topic create " + topic.name + " (or recount::create_topics)"};
}

/// A topic that somebody made a moment ago is not known to each broker yet, so that one that is not
/// there is looked for a while: an eighth of the time an answer may take.
std::optional<kafka::TopicSpec> find(kafka::Admin& admin, const std::string& name,
                                     const TopicRules& rules, bool patient) {
    Environment& environment = Environment::system();
    const auto until = environment.clock.steady() + rules.timeout / 8;
    for (;;) {
        auto found = admin.describe(name, rules.timeout);
        if (found || !patient || environment.clock.steady() > until) return found;
        environment.scheduler.sleep(look_again);
    }
}

/// Looks at the topics; those that are not there become a problem only when `must_exist`.
std::vector<TopicProblem> inspect(kafka::Admin& admin, const kafka::Settings& settings,
                                  const KafkaTopic& topic, const TopicRules& rules,
                                  std::size_t incarnation, bool must_exist) {
    std::vector<TopicProblem> problems;
    const auto log = find(admin, topic.log(incarnation), rules, must_exist);
    if (log) {
        inspect_log(settings, *log, rules, problems);
    } else if (must_exist) {
        problems.push_back(missing(topic, topic.log(incarnation)));
    }
    // One wait is enough when both are missing.
    const auto heads = find(admin, topic.heads(), rules, must_exist && log);
    if (heads) {
        inspect_heads(settings, *heads, problems);
    } else if (must_exist) {
        problems.push_back(missing(topic, topic.heads()));
    }
    return problems;
}

/// As many as the heads have when they are there: what is made while a broker is away must not be
/// weaker than what was made before.
std::int16_t replicas_for(kafka::Admin& admin, const KafkaTopic& topic,
                          const CreateTopics& options) {
    if (const auto heads = admin.describe(topic.heads(), options.timeout)) {
        return static_cast<std::int16_t>(heads->replication);
    }
    const auto brokers = std::min<std::int32_t>(admin.brokers(options.timeout), wanted_replicas);
    return static_cast<std::int16_t>(std::max<std::int32_t>(brokers, 1));
}

void refuse(const std::vector<TopicProblem>& problems) {
    const auto grave = [](const TopicProblem& problem) { return !problem.advice; };
    const auto first = std::find_if(problems.begin(), problems.end(), grave);
    if (first == problems.end()) return;
    const auto more = std::count_if(std::next(first), problems.end(), grave);
    throw Mismatch(first->text() + (more == 0 ? std::string{}
                                              : "; and " + std::to_string(more) +
                                                    " more: recount topic check lists them"));
}

void complain(const std::vector<TopicProblem>& problems) {
    for (const auto& problem : problems) {
        if (problem.advice) spdlog::warn("{}", problem.text());
    }
    refuse(problems);
}

}  // namespace

std::string TopicProblem::text() const {
    if (setting.empty()) return "topic " + topic + " does not exist; create it with: " + mend;
    return "topic " + topic + " has " + setting + "=" + found + ", expected " + expected + ": " +
           why + "; mend it with: " + mend;
}

std::string KafkaTopic::log(std::size_t incarnation) const {
    return name + ".log" + (incarnation == 0 ? std::string{} : "." + std::to_string(incarnation));
}

void create_topics(const KafkaTopic& topic, const CreateTopics& options) {
    check_name(topic.name);
    const kafka::Settings settings = kafka::client_settings(topic);
    kafka::Admin admin{settings};
    refuse(inspect(admin, settings, topic,
                   {.partitions = options.partitions,
                    .record_bytes = options.record_bytes,
                    .allow_retention = options.allow_retention,
                    .replication = options.replication,
                    .timeout = options.timeout},
                   options.incarnation, false));
    const std::int16_t replication =
        options.replication != 0 ? options.replication : replicas_for(admin, topic, options);
    const std::string in_sync = replication >= wanted_replicas ? "2" : "1";

    kafka::TopicSpec log{topic.log(options.incarnation), options.partitions, replication, {}};
    log.configs = {{"cleanup.policy", "delete"},
                   {"retention.ms", std::string{for_ever}},
                   {"retention.bytes", std::string{for_ever}},
                   {"max.message.bytes", std::to_string(options.record_bytes + batch_overhead)},
                   {"min.insync.replicas", in_sync},
                   {"unclean.leader.election.enable", "false"}};
    make(admin, log, options.timeout);

    kafka::TopicSpec heads{topic.heads(), 1, replication, {}};
    // Small segments, because compaction leaves the one being written alone.
    heads.configs = {{"cleanup.policy", "compact"},
                     {"segment.bytes", "16777216"},
                     {"min.cleanable.dirty.ratio", "0.1"},
                     {"min.insync.replicas", in_sync},
                     {"unclean.leader.election.enable", "false"}};
    make(admin, heads, options.timeout);
}

std::vector<TopicProblem> inspect_topics(const KafkaTopic& topic, const TopicRules& rules,
                                         std::size_t incarnation) {
    check_name(topic.name);
    const kafka::Settings settings = kafka::client_settings(topic);
    kafka::Admin admin{settings};
    return inspect(admin, settings, topic, rules, incarnation, true);
}

void check_topics(const KafkaTopic& topic, const TopicRules& rules, std::size_t incarnation) {
    complain(inspect_topics(topic, rules, incarnation));
}

void check_message_topic(const KafkaTopic& topic, const TopicRules& rules) {
    check_name(topic.name);
    const kafka::Settings settings = kafka::client_settings(topic);
    const auto found = kafka::Admin{settings}.describe(topic.name, rules.timeout);
    if (!found) {
        throw Mismatch("topic " + topic.name +
                       " does not exist; create it with: kafka-topics.sh --bootstrap-server " +
                       settings.at("bootstrap.servers") + " --create --topic " + topic.name +
                       " --partitions N --replication-factor 3 --config min.insync.replicas=2");
    }
    std::vector<TopicProblem> problems;
    TopicInspection inspection{settings, *found, problems};
    inspection.size(rules.record_bytes);
    inspection.replicas(rules.replication);
    complain(problems);
}

}  // namespace recount
