#include "outbox/connect.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "outbox/jars.hpp"
#include "support/eventually.hpp"

namespace recount::test {

Connect::Connect(const std::string& brokers, const std::string& connector)
    : kafka_(jars_of("kafka") + "/*") {
    std::filesystem::create_directory(folder_.file("plugins"));
    std::filesystem::create_directory_symlink(jars_of("debezium"),
                                              folder_.file("plugins/debezium"));
    // What a connector does not say of its records a worker says; this one says what would show.
    std::ofstream{folder_.file("worker.properties")}
        << "bootstrap.servers=" << brokers << "\nlisteners=http://127.0.0.1:0\n"
        << "plugin.path=" << folder_.file("plugins") << "\n"
        << "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
        << "value.converter=org.apache.kafka.connect.json.JsonConverter\n"
        << "header.converter=org.apache.kafka.connect.json.JsonConverter\n"
        << "offset.storage.file.filename=" << folder_.file("offsets")
        << "\noffset.flush.interval.ms=1000\n"
        << "config.providers=file\n"
        << "config.providers.file.class="
           "org.apache.kafka.common.config.provider.FileConfigProvider\n";
    std::ofstream{folder_.file("connector.json")} << connector;
    std::ofstream{folder_.file("log4j.properties")}
        << "log4j.rootLogger=INFO, file\nlog4j.appender.file=org.apache.log4j.FileAppender\n"
        << "log4j.appender.file.File=" << folder_.file("log") << "\n"
        << "log4j.appender.file.layout=org.apache.log4j.PatternLayout\n"
        << "log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n\n";
}

void Connect::start() {
    process_ = std::make_unique<Child>(std::vector<std::string>{
        "/usr/bin/java", "-Dlog4j.configuration=file:" + folder_.file("log4j.properties"),
        "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", kafka_,
        "org.apache.kafka.connect.cli.ConnectStandalone", folder_.file("worker.properties"),
        folder_.file("connector.json")});
}

void Connect::stop() {
    process_->signal(SIGTERM);
    if (!eventually([this] { return !process_->running(); })) {
        throw std::runtime_error("Kafka Connect does not end");
    }
}

std::string Connect::log() const {
    std::ostringstream all;
    all << std::ifstream{folder_.file("log")}.rdbuf();
    return all.str();
}

std::string Connect::complaints() const {
    std::istringstream all{log()};
    std::string complaints;
    for (std::string line; std::getline(all, line);) {
        const bool said = line.find(" WARN ") != line.npos || line.find(" ERROR ") != line.npos;
        if (said || line.starts_with("Caused by")) complaints += line + "\n";
    }
    return complaints;
}

}  // namespace recount::test
