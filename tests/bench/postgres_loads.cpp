#include "bench/postgres_loads.hpp"

#include <recount/core.hpp>
#include <recount/eventstore.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/harness.hpp"
#include "bench/postgres_place.hpp"
#include "core/account.hpp"

namespace recount::bench {
namespace {

constexpr std::size_t note_bytes = 236;  // of 256 bytes of payload

void fill(EventStore& store, const StreamName& stream, int events) {
    test::Deposited event = test::deposited(1);
    (*event.mutable_notes())["note"] = std::string(note_bytes, 'p');
    for (int written = 0; written < events;) {
        const int now = std::min(events - written, 1000);
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        append.writes.push_back({stream, Expected::exactly(Version{written}), {}});
        append.writes.front().events.assign(static_cast<std::size_t>(now), new_event(event));
        append.request = request_hash(append);
        store.append(append);
        written += now;
    }
}

/// What this process held at most since the last call, in MB.
double peak_megabytes() {
    double peak = 0;
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") status >> peak;
    }
    std::ofstream{"/proc/self/clear_refs"} << '5';
    return peak / 1024;
}

class BareReader {
public:
    BareReader(const std::string& url, const std::string& schema)
        : connection_(PQconnectdb(url.c_str()), PQfinish) {
        run("set search_path = " + schema);
        PQclear(PQprepare(connection_.get(), "read",
                          "select position, version, envelope, hash, salt, payload from event "
                          "where stream = $1 order by version",
                          1, nullptr));
    }

    std::int64_t balance(const std::string& stream) {
        const char* value = stream.c_str();
        const std::unique_ptr<PGresult, decltype(&PQclear)> rows{
            PQexecPrepared(connection_.get(), "read", 1, &value, nullptr, nullptr, 1), PQclear};
        test::Account account;
        for (int row = 0; row < PQntuples(rows.get()); ++row) {
            test::Deposited event;
            event.ParseFromArray(PQgetvalue(rows.get(), row, 5), PQgetlength(rows.get(), row, 5));
            account = evolve(std::move(account), event);
        }
        return account.balance;
    }

private:
    void run(const std::string& sql) { PQclear(PQexec(connection_.get(), sql.c_str())); }

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

std::vector<double> repeat(double seconds, int events, const std::function<std::int64_t()>& load) {
    const double began = seconds_now();
    peak_megabytes();
    int times = 0;
    do {
        if (load() != events) throw std::runtime_error("the state is not that of the events");
        ++times;
    } while (seconds_now() - began < seconds);
    return {static_cast<double>(times) * events / (seconds_now() - began), peak_megabytes()};
}

}  // namespace

void stream_loads(Harness& harness) {
    const Place place;
    const auto store = open_store(place.url());
    Repository<test::Account> accounts{*store, {.cached_states = 0}};
    BareReader bare{test::postgres_url(), place.schema()};
    for (const int events : {10, 1'000, 100'000}) {
        const std::string id = std::to_string(events);
        fill(*store, StreamName{"account", id}, events);
        const double seconds = std::min(harness.seconds(), 1.0);
        harness.compare(
            {"W7",
             "load of " + id + " events",
             "libpq, one binary select, each payload parsed",
             "the folded state",
             {{"events/s", 0.8}, {"MB at most", 1.0, false}},
             [&] {
                 return repeat(seconds, events, [&] { return accounts.load(id).state.balance; });
             },
             [&] {
                 return repeat(seconds, events, [&] { return bare.balance("account-" + id); });
             }});
    }
}

}  // namespace recount::bench
