#include "postgres_listener.hpp"

#include <pqxx/pqxx>

namespace recount::postgres {

namespace {

constexpr long look_for_stop_us = 50'000;
constexpr Duration pause_after_loss = std::chrono::seconds{1};

class Receiver final : public pqxx::notification_receiver {
public:
    Receiver(pqxx::connection& connection, const std::string& channel,
             const std::function<void()>& heard)
        : pqxx::notification_receiver(connection, channel), heard_(heard) {}
    void operator()(const std::string&, int) override { heard_(); }

private:
    const std::function<void()>& heard_;
};

std::string with_timeout(const std::string& connection) {
    return connection + (connection.find('?') == std::string::npos ? "?" : "&") +
           "connect_timeout=5";
}

}  // namespace

Listener::Listener(Address address, std::string channel, Environment& environment,
                   std::function<void()> heard)
    : connection_(with_timeout(address.connection)),
      channel_(std::move(channel)),
      environment_(environment),
      heard_(std::move(heard)),
      task_(environment.scheduler.spawn("listener",
                                        [this](const std::stop_token& stop) { listen(stop); })) {}

void Listener::listen(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            pqxx::connection connection{connection_};
            const Receiver receiver{connection, channel_, heard_};
            heard_();  // of what came before it listened
            while (!stop.stop_requested()) connection.await_notification(0, look_for_stop_us);
        } catch (const std::exception&) {
            environment_.scheduler.sleep(pause_after_loss, stop);
        }
    }
}

}  // namespace recount::postgres
