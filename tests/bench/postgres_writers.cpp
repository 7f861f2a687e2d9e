#include "bench/postgres_writers.hpp"

#include <recount/core/ids.hpp>
#include <recount/eventstore.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "bench/bare_postgres.hpp"
#include "bench/child.hpp"
#include "bench/harness.hpp"
#include "bench/postgres_place.hpp"
#include "core/account.hpp"

namespace recount::bench {
namespace {

constexpr std::size_t payload_bytes = 256;
constexpr int streams_of_a_writer = 50;

/// Writes its n-th append and says how many events were added.
using Writer = std::function<int(int n)>;
using WriterOf = std::function<Writer(int writer)>;

std::string stream_of(const Load& load, int writer, int n) {
    if (load.streams == Load::Streams::hot) return "account-hot";
    return "cart-" + std::to_string(writer) + "." +
           std::to_string(load.streams == Load::Streams::fresh ? n : n % streams_of_a_writer);
}

std::int64_t version_before(const Load& load, int n) {
    if (load.streams == Load::Streams::fresh) return 0;
    if (load.streams == Load::Streams::hot) return std::int64_t{n} * load.batch;
    return std::int64_t{n / streams_of_a_writer} * load.batch;
}

Append append_of(const Load& load, int writer, int n) {
    Append append;
    append.metadata.command_id = to_string(new_uuid7());
    append.metadata.correlation_id = append.metadata.command_id;
    StreamWrite& write = append.writes.emplace_back();
    write.stream = StreamName::trusted(stream_of(load, writer, n));
    write.expected = Expected::exactly(Version{version_before(load, n)});
    write.events.assign(static_cast<std::size_t>(load.batch),
                        NewEvent{"shop.ItemAdded", std::string(payload_bytes, 'p')});
    append.request = request_hash(append);
    return append;
}

/// Passes on, and counts what was tried.
class Counted final : public Streams {
public:
    explicit Counted(EventStore& store) : store_(store) {}
    [[nodiscard]] const StoreIdentity& identity() const override { return store_.identity(); }
    Environment& environment() override { return store_.environment(); }
    std::vector<AppendResult> append(std::span<const Append> group) override {
        attempts += static_cast<std::int64_t>(group.size());
        return store_.append(group);
    }
    std::optional<CommandOutcome> find_outcome(std::string_view id) override {
        return store_.find_outcome(id);
    }
    CommandOutcome void_command(std::string_view id) override { return store_.void_command(id); }
    StreamPage read_stream(const StreamName& stream, const ReadStream& options) override {
        return store_.read_stream(stream, options);
    }

    std::atomic<std::int64_t> attempts = 0;

private:
    EventStore& store_;
};

/// The writers of one process.
Written write(const Load& load, int writers, int first, const WriterOf& writer_of) {
    std::vector<Writer> ready;
    for (int writer = 0; writer < writers; ++writer) ready.push_back(writer_of(first + writer));
    std::vector<Written> each(ready.size());
    const double began = seconds_now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t writer = 0; writer < ready.size(); ++writer) {
            threads.emplace_back([&, writer] {
                double now = seconds_now();
                for (int n = 0; now - began < load.seconds; ++n) {
                    each[writer].events += ready[writer](n);
                    const double then = std::exchange(now, seconds_now());
                    each[writer].milliseconds.push_back((now - then) * 1e3);
                }
            });
        }
    }
    Written written;
    written.seconds = seconds_now() - began;
    for (const Written& one : each) {
        written.events += one.events;
        written.milliseconds.insert(written.milliseconds.end(), one.milliseconds.begin(),
                                    one.milliseconds.end());
    }
    return written;
}

Written store_process(const Load& load, const std::string& url, int writers, int first) {
    const auto store = open_store(url);
    if (load.streams == Load::Streams::hot) {
        Counted counted{*store};
        Repository<test::Account> accounts{counted, {.attempts = 1'000'000}};
        Written written = write(load, writers, first, [&](int) -> Writer {
            return [&](int) {
                auto deposit = test::deposit(1);
                (*deposit.mutable_notes())["note"] = std::string(payload_bytes - 20, 'p');
                if (!accounts.handle("hot", deposit)) throw std::runtime_error("refused");
                return 1;
            };
        });
        written.attempts = counted.attempts;
        return written;
    }
    return write(load, writers, first, [&](int writer) -> Writer {
        return [&, writer](int n) {
            const auto result = store->append(append_of(load, writer, n));
            if (result.kind != AppendResult::Kind::committed) {
                throw std::runtime_error("an append was not committed");
            }
            return load.batch;
        };
    });
}

/// A store's event in each partition, of the size and shape that the benchmark writes; how many.
std::int64_t seed(const Load& load, EventStore& store) {
    const std::int32_t partitions = store.identity().partitions;
    std::set<Partition> seeded;
    std::int64_t events = 0;
    for (int n = 0; std::cmp_less(seeded.size(), partitions); ++n) {
        Append append = append_of(load, 0, 0);
        StreamWrite& write = append.writes.front();
        write.stream = StreamName{"model", std::to_string(n)};
        write.expected = Expected::no_stream();
        if (n > 0 && !seeded.insert(partition_of(write.stream, partitions)).second) continue;
        append.request = request_hash(append);
        static_cast<void>(store.append(append));
        events += load.batch;
    }
    return events;
}

/// As seed() wrote it.
BareAppend model_of(const Load& load, EventStore& store) {
    const RecordedEvent event = store.read_stream(StreamName{"model", "0"}).events.front();
    const auto outcome = store.find_outcome(event.at.append_id);
    BareAppend model;
    model.events = load.batch;
    model.type = event.at.type;
    model.payload = *event.payload;
    model.envelope = event.envelope;
    model.outcome = encode(*outcome);
    return model;
}

Written bare_process(const Load& load, const std::string& url, const std::string& schema,
                     int writers, int first) {
    std::int32_t partitions = 0;
    BareAppend model;
    {
        const auto store = open_store(url);
        partitions = store->identity().partitions;
        model = model_of(load, *store);
    }
    // Who writes alone needs nobody's hash.
    const bool alone = load.writers == 1 && load.processes == 1;
    const Chain by_hand = alone ? Chain::here : Chain::there;
    const Chain chain = load.client == Client::by_hand ? by_hand : Chain::none;
    return write(load, writers, first, [&](int writer) -> Writer {
        auto client = std::make_shared<BarePostgres>(test::postgres_url(), schema, chain);
        return [=, &load](int n) {
            BareAppend append = model;
            append.stream = stream_of(load, writer, n);
            append.partition = partition_of(append.stream, partitions).value;
            append.version = version_before(load, n) + 1;
            append.command_id = to_string(new_uuid7());
            client->append(append);
            return load.batch;
        };
    });
}

Written process(const Load& load, const std::string& schema, int writers, int first) {
    const std::string url = test::postgres_url() + "?schema=" + schema;
    return load.client == Client::store ? store_process(load, url, writers, first)
                                        : bare_process(load, url, schema, writers, first);
}

Written processes(const Load& load, const std::string& schema) {
    if (load.processes == 1) return process(load, schema, load.writers, 0);
    std::deque<Child> children;
    const int share = load.writers / load.processes;
    for (int i = 0; i < load.processes; ++i) {
        children.emplace_back(std::vector<std::string>{
            "--child", std::to_string(static_cast<int>(load.client)), schema,
            std::to_string(static_cast<int>(load.streams)), std::to_string(share),
            std::to_string(i * share), std::to_string(load.batch), std::to_string(load.seconds)});
    }
    for (Child& child : children) child.hear();
    for (Child& child : children) child.say("go");
    Written all;
    for (Child& child : children) {
        std::istringstream line{child.hear()};
        Written one;
        line >> one.events >> one.seconds >> one.attempts;
        all.events += one.events;
        all.attempts += one.attempts;
        all.seconds = std::max(all.seconds, one.seconds);
    }
    return all;
}

double wal_position(const Place& place) {
    const auto database = Database::open(place.url());
    const std::string at = database->begin(SqlMode::snapshot)
                               ->query("select (pg_current_wal_lsn() - '0/0')::text")
                               .text(0, 0);
    return std::atof(at.c_str());
}

}  // namespace

Written write_by(const Load& load) {
    const Place place;
    const std::int64_t seeded = seed(load, *open_store(place.url()));
    const double wal = wal_position(place);
    Written written = processes(load, place.schema());
    written.wal_bytes = wal_position(place) - wal;
    if (load.client == Client::rows_alone) return written;
    std::int64_t stored = 0;
    for (const LogHead& head : open_store(place.url())->verify_chain()) stored += head.n;
    if (stored != seeded + written.events) {
        throw std::runtime_error("the log does not hold what was acknowledged");
    }
    return written;
}

void write_as_child(int count, char** arguments) {
    if (count < 9 || std::string{arguments[1]} != "--child") return;
    Load load;
    load.processes = 2;  // or more
    load.client = static_cast<Client>(std::atoi(arguments[2]));
    load.streams = static_cast<Load::Streams>(std::atoi(arguments[4]));
    load.batch = std::atoi(arguments[7]);
    load.seconds = std::atof(arguments[8]);
    std::cout << "ready" << std::endl;
    std::string go;
    std::getline(std::cin, go);
    const Written written =
        process(load, arguments[3], std::atoi(arguments[5]), std::atoi(arguments[6]));
    std::cout << written.events << ' ' << written.seconds << ' ' << written.attempts << std::endl;
    std::exit(0);
}

}  // namespace recount::bench
