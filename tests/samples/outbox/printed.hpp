#pragma once

#include <recount/core/ids.hpp>
#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orders.pb.h"
#include "outbox/child.hpp"
#include "outbox/kit.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {

/// Orders of 20 customers, one a command; each event is another one.
inline void place_orders(EventStore& store, int count) {
    std::vector<Append> group;
    for (int number = 0; number < count; ++number) {
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        orders::OrderPlaced placed;
        placed.set_order_id(append.metadata.command_id);
        placed.set_sku("mug");
        placed.set_quantity(1 + number % 4);
        append.writes.push_back({StreamName{"customer", std::to_string(number % 20)},
                                 Expected::any(),
                                 {new_event(placed)}});
        append.request = request_hash(append);
        group.push_back(std::move(append));
    }
    for (auto& result : store.append(group)) static_cast<void>(accepted(result));
}

/// What the sample's subscriber prints, and the file it prints to.
class Printed {
public:
    using ByPartition = std::map<std::string, std::vector<std::string>>;

    explicit Printed(KafkaTopic topic) : topic_(std::move(topic)) {}

    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] std::unique_ptr<Child> start() const {
        return std::make_unique<Child>(
            std::vector<std::string>{OUTBOX_SUBSCRIBER, topic_.brokers, topic_.name, file_});
    }
    [[nodiscard]] std::uintmax_t bytes() const {
        return std::filesystem::exists(file_) ? std::filesystem::file_size(file_) : 0;
    }
    /// All whole lines but those that name a history.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        std::ifstream file{file_};
        for (std::string line; std::getline(file, line) && !file.eof();) {
            if (!line.starts_with("incarnation ")) all.push_back(line);
        }
        return all;
    }
    /// "" when the lines of each partition are the store's events, in order, each once; else the
    /// first that is wrong.
    [[nodiscard]] std::string wrong(EventStore& store) const {
        ByPartition found;
        for (const auto& line : lines()) found[line.substr(0, line.find(':'))].push_back(line);
        for (const auto& events : read_all(store)) {
            for (std::size_t index = 0; index < events.size(); ++index) {
                const std::string expected = line_of(events[index]);
                const auto& there = found[expected.substr(0, expected.find(':'))];
                const std::string line = index < there.size() ? there[index] : "nothing";
                if (line != expected) return "expected " + expected + ", found " + line;
            }
            if (events.empty()) continue;
            auto left = found.extract(std::to_string(events[0].at.position.partition.value));
            if (left.mapped().size() > events.size()) return "too many: " + left.mapped().back();
        }
        for (const auto& [partition, too_many] : found) {
            if (!too_many.empty()) return "invented: " + too_many.front();
        }
        return "";
    }

private:
    static std::string line_of(const RecordedEvent& event) {
        const auto placed = parse_as<orders::OrderPlaced>(event);
        return to_string(event.at.position) + " orders.OrderPlaced " + event.at.stream.full() +
               " order_id: \"" + placed.order_id() + "\" sku: \"" + placed.sku() +
               "\" quantity: " + std::to_string(placed.quantity());
    }

    KafkaTopic topic_;
    TemporaryFolder folder_;
    std::string file_ = folder_.file("printed");
};

/// How many events a store holds.
inline std::size_t events_in(EventStore& store) {
    std::int64_t all = 0;
    for (const LogHead& head : store.heads()) all += head.n;
    return static_cast<std::size_t>(all);
}

}  // namespace recount::test
