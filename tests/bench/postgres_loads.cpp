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
#include "core/kept_account.hpp"

namespace recount::bench {
namespace {

constexpr std::size_t note_bytes = 236;  // of 256 bytes of payload
constexpr int seal_bytes = 33;           // before the message in a snapshot

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
        static_cast<void>(store.append(append));
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
        PQclear(PQprepare(connection_.get(), "read behind",
                          "select null, version, bytes, null, null, null from snapshot "
                          "where stream = $1 union all (select position, version, envelope, hash, "
                          "salt, payload from event where stream = $1 and version > "
                          "(select version from snapshot where stream = $1) order by version)",
                          1, nullptr));
    }

    std::int64_t balance(const std::string& stream) {
        const auto rows = query("read", stream);
        test::Account account;
        for (int row = 0; row < PQntuples(rows.get()); ++row) {
            test::Deposited event;
            event.ParseFromArray(PQgetvalue(rows.get(), row, 5), PQgetlength(rows.get(), row, 5));
            account = evolve(std::move(account), event);
        }
        return account.balance;
    }

    std::int64_t balance_by_snapshot(const std::string& stream) {
        const auto rows = query("read behind", stream);
        test::KeptAccount kept;
        kept.ParseFromArray(PQgetvalue(rows.get(), 0, 2) + seal_bytes,
                            PQgetlength(rows.get(), 0, 2) - seal_bytes);
        test::Saved account = from_snapshot(kept);
        for (int row = 1; row < PQntuples(rows.get()); ++row) {
            test::Deposited event;
            event.ParseFromArray(PQgetvalue(rows.get(), row, 5), PQgetlength(rows.get(), row, 5));
            account = evolve(std::move(account), event);
        }
        return account.balance;
    }

private:
    using Rows = std::unique_ptr<PGresult, decltype(&PQclear)>;

    Rows query(const char* statement, const std::string& stream) {
        const char* value = stream.c_str();
        return {PQexecPrepared(connection_.get(), statement, 1, &value, nullptr, nullptr, 1),
                PQclear};
    }
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

void snapshot_loads(Harness& harness) {
    constexpr int events = 1'020;
    const Place place;
    const auto store = open_store(place.url());
    Repository<test::Saved> writing{*store, {.snapshots = 1'000}};
    fill(*store, StreamName{"account", "long"}, 1'000);
    writing.load("long");
    test::Deposit deposit;
    deposit.set_amount(1);
    for (int i = 1'000; i < events; ++i) static_cast<void>(writing.handle("long", deposit));
    Repository<test::Saved> accounts{*store, {.cached_states = 0, .snapshots = 1'000}};
    BareReader bare{test::postgres_url(), place.schema()};
    const double seconds = std::min(harness.seconds(), 1.0);
    const auto loads = [=](const std::function<std::int64_t()>& load) {
        const double rate = repeat(seconds, events, load).front() / events;
        return std::vector{1e6 / rate};
    };
    harness.compare(
        {"W8",
         "snapshot and 20 events",
         "libpq, one statement for both, each payload parsed",
         "the folded state",
         {{"us a load", 1.3, false}},
         [&] { return loads([&] { return accounts.load("long").state.balance; }); },
         [&] { return loads([&] { return bare.balance_by_snapshot("account-long"); }); }});
}

}  // namespace recount::bench
