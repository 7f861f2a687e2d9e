// saga_worker URL CALL MICROSECONDS: carries the orders of many_orders() out, until all is done, or
// until it kills itself without a word, so long after that call to its store.

#include <recount/saga.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <unistd.h>

#include "many_orders.hpp"
#include "orders.hpp"
#include "watched_store.hpp"

namespace {

using namespace recount;
using namespace recount::saga_test;

int work(const std::string& url, int call, int microseconds) {
    const auto store = open_store(url, {.partitions = 1});
    std::unique_ptr<Task> end;
    WatchedStore watched{*store, [&](int number, WatchedStore::When when) {
                             if (number != call || when != WatchedStore::When::before) return;
                             end = store->environment().scheduler.spawn(
                                 "end", [&, microseconds](const std::stop_token&) {
                                     store->environment().scheduler.sleep(Duration{microseconds});
                                     ::kill(::getpid(), SIGKILL);
                                 });
                         }};
    Service service{watched, {.sagas_at_once = 8, .commands_per_commit = 8}};
    for (const Ordered& order : many_orders()) service.place(order);
    while (service.sagas.catch_up().open > 0)
        store->environment().scheduler.sleep(std::chrono::milliseconds{20});
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) return 2;
    try {
        return work(arguments[1], std::atoi(arguments[2]), std::atoi(arguments[3]));
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
