#include "kafka/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include <unistd.h>

#include <recount/core/error.hpp>

namespace recount::kafka {
namespace {

constexpr std::string_view prefix = "RECOUNT_KAFKA_";
constexpr std::string_view file_suffix = "_FILE";

/// No loss, no reordering and "offsets live in the database" rest on these.
constexpr std::array<std::string_view, 19> ours = {"allow.auto.create.topics",
                                                   "delivery.report.only.error",
                                                   "enable.idempotence",
                                                   "acks",
                                                   "request.required.acks",
                                                   "enable.gapless.guarantee",
                                                   "message.timeout.ms",
                                                   "delivery.timeout.ms",
                                                   "max.in.flight",
                                                   "max.in.flight.requests.per.connection",
                                                   "retries",
                                                   "message.send.max.retries",
                                                   "enable.auto.commit",
                                                   "auto.commit.enable",
                                                   "enable.auto.offset.store",
                                                   "auto.offset.reset",
                                                   "isolation.level",
                                                   "partitioner",
                                                   "transactional.id"};

std::string property_name(std::string_view variable) {
    std::string name{variable.substr(prefix.size())};
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) {
        return letter == '_' ? '.' : static_cast<char>(std::tolower(letter));
    });
    return name;
}

/// All of it, for a PEM has many lines, but not the line break behind a password.
std::string contents(const std::string& variable, const std::string& path) {
    std::ifstream file{path};
    std::string text;
    try {
        text.assign(std::istreambuf_iterator<char>{file}, {});
    } catch (const std::ios_base::failure&) {  // as of a folder
        text.clear();
    }
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (!file || text.empty()) {
        throw InvalidArgument(variable +
                              " names a file that is empty or cannot be read; check path and "
                              "rights");
    }
    return text;
}

Settings from_environment() {
    Settings settings;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view pair{*entry};
        const auto equals = pair.find('=');
        if (!pair.starts_with(prefix) || equals == std::string_view::npos) continue;
        std::string variable{pair.substr(0, equals)};
        std::string value{pair.substr(equals + 1)};
        if (variable.ends_with(file_suffix)) {
            value = contents(variable, value);
            variable.resize(variable.size() - file_suffix.size());
        }
        settings[property_name(variable)] = value;
    }
    return settings;
}

}  // namespace

Settings client_settings(const KafkaTopic& topic) {
    Settings settings = from_environment();
    for (const auto& [name, value] : topic.properties) settings[name] = value;
    for (const auto name : ours) {
        if (settings.contains(std::string{name})) {
            throw InvalidArgument("Kafka property " + std::string{name} +
                                  " is set by recount, whose promises rest on it; remove it");
        }
    }
    if (settings.contains("metadata.broker.list")) {
        throw InvalidArgument(
            "Kafka property metadata.broker.list is another name of bootstrap.servers, one of "
            "which would win by chance; use KafkaTopic::brokers or KAFKA_BOOTSTRAP_SERVERS");
    }
    if (!topic.brokers.empty()) settings["bootstrap.servers"] = topic.brokers;
    if (!settings.contains("bootstrap.servers")) {
        const char* brokers = std::getenv("KAFKA_BOOTSTRAP_SERVERS");
        if (brokers == nullptr || *brokers == '\0') {
            throw InvalidArgument("topic " + topic.name +
                                  ": no broker is named; set KafkaTopic::brokers (`recount`: "
                                  "--kafka) or KAFKA_BOOTSTRAP_SERVERS");
        }
        settings["bootstrap.servers"] = brokers;
    }
    return settings;
}

std::string_view without_secret(std::string_view facility, std::string_view line) {
    constexpr std::array secrets{"password", "secret", "pem", "jaas", "kinit.cmd"};
    // Behind these comes what they are.
    constexpr std::array quoted{"sasl.oauthbearer.config", "with command", "ticket refresh failed"};
    for (const std::string_view what : quoted) {
        if (const auto at = line.find(what); at != std::string_view::npos)
            return line.substr(0, at + what.size());
    }
    if (facility != "CONF") return line;
    const std::string_view name = line.substr(0, line.find('='));
    const bool is_secret = std::ranges::any_of(secrets, [&](std::string_view secret) {
        return name.find(secret) != std::string_view::npos;
    });
    return is_secret ? name : line;
}

}  // namespace recount::kafka
