#include <recount/core/ids.hpp>
#include <recount/projections.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "projections/views.hpp"
#include "support/servers.hpp"
#include "support/temporary_folder.hpp"

/// Events a second that a projector gives to each view, from an empty view to the head of a log of
/// carts; views on SQLite and, where RECOUNT_TEST_POSTGRES is set, on PostgreSQL.
namespace recount::bench {
namespace {

using namespace recount::test::projections;

constexpr int events_an_append = 100;
constexpr int carts = 5000;
constexpr int skus = 1000;

void fill(EventStore& store, int events) {
    std::vector<Append> group;
    for (int done = 0; done < events; done += events_an_append) {
        Append append;
        append.metadata.command_id = to_string(new_uuid7());
        StreamWrite write{StreamName{"cart", std::to_string(done / events_an_append * 7 % carts)},
                          Expected::any(),
                          {}};
        for (int count = 0; count < events_an_append; ++count) {
            ItemAdded event;
            event.set_sku("sku-" + std::to_string((done + count) * 31 % skus));
            event.set_quantity(1 + count % 5);
            event.set_price(1990);
            write.events.push_back(new_event(event));
        }
        append.writes.push_back(std::move(write));
        append.request = request_hash(append);
        group.push_back(std::move(append));
        if (group.size() == 50 || done + events_an_append >= events) {
            (void)store.append(std::span<const Append>{group});
            group.clear();
        }
    }
}

/// A view like those of a shop's page: plain numbers and texts.
struct Totals {
    static constexpr std::string_view name = "totals";
    static constexpr int version = 1;
    using Row = SkuRow;
    using Event = recount::Events<ItemAdded, ItemRemoved>;
    static void evolve(SkuRow& row, const ItemAdded& event, const Recorded&) {
        row.set_added(row.added() + event.quantity() * event.price());
    }
    static void evolve(SkuRow&, const ItemRemoved&, const Recorded&) {}
};

template <class... V>
void measure(EventStore& store, const char* name, const std::string& views, int events) {
    Environment& environment = store.environment();
    Log& log = store;
    Projector<V...> projector{log, {.views = views}};
    const auto begin = environment.clock.steady();
    const double cpu = cpu_seconds();
    const Applied applied = projector.catch_up();
    const double seconds =
        std::chrono::duration<double>(environment.clock.steady() - begin).count();
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    std::printf("%-34s %9.0f events/s/view  %6.2f s, %6.2f s of CPU  %4lld transactions  %ld MB\n",
                name, events / seconds, seconds, cpu_seconds() - cpu,
                static_cast<long long>(applied.transactions), used.ru_maxrss / 1024);
}

void measure_all(EventStore& store, const std::string& kind,
                 const std::function<std::string()>& views, int events) {
    std::printf("views on %s, %d events\n", kind.c_str(), events);
    measure<Totals>(store, "1 keyed view by stream", views(), events);
    measure<Skus>(store, "1 keyed view by sku", views(), events);
    measure<Totals, Skus>(store, "2 keyed views", views(), events);
    measure<Carts>(store, "1 keyed view with a JSON column", views(), events);
    measure<Counts>(store, "1 SQL view, a row an event", views(), events);
}

}  // namespace
}  // namespace recount::bench

int main(int argc, char** argv) {
    using namespace recount;
    bench::Harness harness{argc, argv, {{"projections", "catching up with 100,000 events"}}};
    harness.begin();
    constexpr int events = 100'000;
    test::TemporaryFolder folder;
    const auto store = open_store("sqlite:" + folder.file("log.db"));
    bench::fill(*store, events);
    {
        const auto begin = store->environment().clock.steady();
        std::int64_t read = 0;
        for (std::int32_t p = 0; p < store->identity().partitions; ++p) {
            for (std::int64_t at = 0;;) {
                const LogPage page = store->read(Partition{p}, at);
                if (page.events.empty()) break;
                at += static_cast<std::int64_t>(page.events.size());
                read += static_cast<std::int64_t>(page.events.size());
            }
        }
        const auto taken = store->environment().clock.steady() - begin;
        std::printf("reading the log alone: %.0f events/s\n",
                    static_cast<double>(read) / std::chrono::duration<double>(taken).count());
    }
    int places = 0;
    bench::measure_all(
        *store, "SQLite",
        [&] { return "sqlite:" + folder.file("views" + std::to_string(++places) + ".db"); },
        events);
    if (std::getenv("RECOUNT_TEST_POSTGRES") != nullptr) {
        bench::measure_all(
            *store, "PostgreSQL", [] { return test::postgres_url_with_own_schema(); }, events);
    }
    return 0;
}
