#include "eventstore/sqlite_faults/script.hpp"

namespace recount::test {

std::unique_ptr<EventStore> open_or_not(const std::string& url, bool durable) {
    std::unique_ptr<EventStore> store;
    StoreOptions options = two_partitions;
    options.durable = durable;
    survives([&] { store = open_store(url, options); });
    return store;
}

void work(EventStore& store, History& history, const std::string& day) {
    const auto id = [&day](const char* name) { return day + "/" + name; };
    const Append small = make_append(id("small"), {write("cart-1")});
    history.append(store, {small});
    // Larger than a page of the file, so that it needs several, none of which is it alone.
    history.append(store,
                   {make_append(id("large"), {{stream("cart-" + day),
                                               Expected::no_stream(),
                                               {event(std::string(9'000, 'x')),
                                                event(std::string(700, 'y'), "test.On" + day)}}})});
    history.append(store, {make_append(id("several"), {write("cart-2", Expected::any(), 2),
                                                       write("cart-3"), write("order-" + day)}),
                           make_append(id("too late"), {write("cart-1", Expected::no_stream())}),
                           make_append(id("also"), {write("cart-1", Expected::exists(), 3)}),
                           make_refusal(id("refused"))});
    history.void_command(store, id("void"));
    history.append(store, {small});
    survives([&] {
        const StreamPage page = store.read_stream(stream("cart-1"));
        EXPECT_EQ(static_cast<std::int64_t>(page.events.size()), page.head.value);
    });
    history.import(store, day);
    history.append(store, {make_append(id("last"), {write("cart-1"), write("cart-4")})});
}

std::string integrity(const std::string& url) {
    const auto database = Database::open(url);
    return database->begin(SqlMode::write)->query("pragma integrity_check").text(0, 0);
}

}  // namespace recount::test
