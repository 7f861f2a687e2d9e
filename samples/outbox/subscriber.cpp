// Prints every event of a log once, in the order of its partition, however often this program, the
// relays and the brokers are killed. To be followed with tail -f.

#include <recount/outbox.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <system_error>

#include "orders.pb.h"

namespace {

using namespace std::chrono_literals;

/// 3:1042 orders.OrderPlaced customer-bob order_id: "7" sku: "mug" quantity: 2
std::string line_of(const recount::RecordedEvent& event) {
    std::string line =
        to_string(event.at.position) + " " + event.at.type + " " + event.at.stream.full();
    if (event.at.type == recount::type_name<orders::OrderPlaced>() && !event.erased()) {
        line += " " + recount::parse_as<orders::OrderPlaced>(event).ShortDebugString();
    }
    return line + "\n";
}

/// A line for each history of the store. Behind a restore positions begin again at its fork: what
/// was printed must lie before that.
void name_history(recount::KafkaLog& log, recount::StorePositions& printed, std::ofstream& file) {
    if (printed.incarnation == log.identity().incarnation) return;
    if (!printed.positions.empty() && !still_holds(printed, log.incarnations())) {
        throw recount::Mismatch("of what is printed, some is in the store no more");
    }
    printed.incarnation = log.identity().incarnation;
    file << "incarnation " << to_string(printed.incarnation) << '\n';
}

// [subscriber]
/// The lines say how far each partition is printed: what is printed and what is known to be printed
/// are one file, and cannot differ. A line that a kill cut short is taken away, to be printed anew.
recount::StorePositions printed_in(const std::string& path) {
    recount::StorePositions printed;
    std::uintmax_t whole_lines = 0;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line) && !file.eof();) {
        whole_lines += line.size() + 1;
        std::istringstream words{line};
        recount::Position at;
        if (line.starts_with("incarnation ")) {
            printed.incarnation = recount::parse_uuid(line.substr(12)).value();
        } else if (char colon = 0; words >> at.partition.value >> colon >> at.n) {
            printed.positions.set(at);
        } else {
            throw recount::Mismatch(path + " holds a line that was not printed here: " + line);
        }
    }
    std::filesystem::resize_file(path, whole_lines);
    return printed;
}

/// Goes on behind what is printed.
void print_new(recount::KafkaLog& log, recount::Partition partition,
               recount::StorePositions& printed, std::ofstream& file) {
    for (bool end = false; !end;) {
        const recount::LogPage page = log.read(partition, printed.positions[partition]);
        name_history(log, printed, file);
        for (const recount::RecordedEvent& event : page.events) {
            file << line_of(event);
            printed.positions.set(event.at.position);
        }
        file.flush();
        end = page.end;
    }
}

void follow(const recount::KafkaTopic& topic, const std::string& path) {
    recount::KafkaLog log{{.topic = topic, .broker_timeout = 2s}};
    recount::StorePositions printed = printed_in(path);
    std::ofstream file{path, std::ios::app};
    file.exceptions(std::ios::failbit | std::ios::badbit);
    for (;; log.wait(printed.positions, 1s)) {
        for (recount::Partition one; one.value < log.identity().partitions; ++one.value) {
            try {
                print_new(log, one, printed, file);
            } catch (const recount::Unavailable& error) {  // the others go on
                std::cerr << error.what() << '\n';
                log.environment().scheduler.sleep(100ms);
            }
        }
    }
}
// [subscriber]

/// Of two on one file one prints; the other waits until that one is gone.
void take(const std::string& path) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);  // open to the end
    if (file < 0 || flock(file, LOCK_EX) != 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 4) throw std::runtime_error("usage: outbox_subscriber KAFKA TOPIC FILE");
        take(argv[3]);
        while (true) {
            try {
                follow({.brokers = argv[1], .name = argv[2]}, argv[3]);
            } catch (const recount::Unavailable& error) {
                std::cerr << error.what() << '\n';
                recount::Environment::system().scheduler.sleep(1s);
            }
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
