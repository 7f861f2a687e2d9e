// The publisher that everybody writes for an outbox table, one pass of it:
// publisher_by_hand DATABASE BROKERS TOPIC send-first|mark-first

#include <pqxx/pqxx>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/kit.hpp"

int main(int count, char** arguments) {
    using namespace recount::test;
    if (count != 5) {
        std::fputs("publisher_by_hand DATABASE BROKERS TOPIC send-first|mark-first\n", stderr);
        return 2;
    }
    const recount::KafkaTopic topic{.brokers = arguments[2], .name = arguments[3]};
    const auto send = [&](const std::string& message) {
        produce_foreign(topic, topic.name, 0, "order", message);
    };
    pqxx::connection connection{arguments[1]};
    pqxx::work transaction{connection};
    if (std::string_view{arguments[4]} == "send-first") {
        const auto rows =
            transaction.exec("select id, message from outbox where not sent order by id");
        for (const auto& row : rows) {
            send(row[1].as<std::string>());
            transaction.exec_params("update outbox set sent = true where id = $1",
                                    row[0].as<std::int64_t>());
        }
        transaction.commit();
    } else {
        const auto rows =
            transaction.exec("update outbox set sent = true where not sent returning message");
        transaction.commit();
        for (const auto& row : rows) send(row[0].as<std::string>());
    }
    return 0;
}
