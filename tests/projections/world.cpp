#include "world.hpp"

#include <recount/core/ids.hpp>

#include "support/servers.hpp"

namespace recount::test::projections {

World::World(const std::string& backend, std::int32_t partitions, Environment* environment)
    : backend_(backend), partitions_(partitions), environment_(environment) {
    if (backend == "memory") url_ = "memory:";
    if (backend == "sqlite") url_ = "sqlite:" + folder_.file("shop.db");
    if (backend == "postgresql") url_ = postgres_url_with_own_schema();
    open();
}

void World::open() {
    StoreOptions options;
    options.partitions = partitions_;
    options.environment = environment_;
    store_ = open_store(url_, options);
}

StorePositions World::append(const std::string& stream, std::vector<NewEvent> events) {
    Append append;
    append.metadata.command_id = to_string(new_uuid7());
    append.writes.push_back({StreamName::parse(stream), Expected::any(), std::move(events)});
    append.request = request_hash(append);
    return store_->append(append).outcome->reached;
}

ItemAdded added(const std::string& sku, std::int64_t quantity, std::int64_t price) {
    ItemAdded event;
    event.set_sku(sku);
    event.set_quantity(quantity);
    event.set_price(price);
    return event;
}

ItemRemoved removed(const std::string& sku, std::int64_t quantity) {
    ItemRemoved event;
    event.set_sku(sku);
    event.set_quantity(quantity);
    return event;
}

CheckedOut checked_out(const std::string& order) {
    CheckedOut event;
    event.set_order_id(order);
    return event;
}

void append_random(World& world, std::uint32_t seed, int appends) {
    std::uint64_t state = seed;  // a linear congruential generator: the same everywhere
    const auto below = [&](unsigned limit) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<int>((state >> 33U) % limit);
    };
    for (int count = 0; count < appends; ++count) {
        std::vector<NewEvent> events;
        for (int left = 1 + below(4); left > 0; --left) {
            const std::string sku = "sku " + std::to_string(below(6));
            switch (below(8)) {
                case 0:
                    events.push_back(new_event(checked_out()));
                    break;
                case 1:
                    events.push_back(new_event(Browsed{}));
                    break;
                case 2:
                    events.push_back(new_event(removed(sku, below(3))));
                    break;
                default:
                    events.push_back(new_event(added(sku, below(5), below(100))));
                    break;
            }
        }
        world.append("cart-" + std::to_string(below(12)), std::move(events));
    }
}

std::vector<RecordedEvent> all_events(Log& log) {
    std::vector<RecordedEvent> all;
    const std::vector<LogHead> heads = log.heads();
    for (std::size_t number = 0; number < heads.size(); ++number) {
        const Partition partition{static_cast<std::int32_t>(number)};
        for (std::int64_t at = 0; at < heads[number].n;) {
            LogPage page = log.read(partition, at);
            at += static_cast<std::int64_t>(page.events.size());
            std::move(page.events.begin(), page.events.end(), std::back_inserter(all));
        }
    }
    return all;
}

namespace {

template <class Row>
std::map<std::string, std::string> texts(const std::map<std::string, Row>& rows) {
    std::map<std::string, std::string> all;
    for (const auto& [key, row] : rows) all[key] = row.ShortDebugString();
    return all;
}

}  // namespace

std::map<std::string, std::string> pure_carts(Log& log) {
    std::map<std::string, CartRow> rows;
    for (const RecordedEvent& event : all_events(log)) {
        const std::string key{event.at.stream.id()};
        Carts::Event::visit_type(event.at.type, [&]<class E>(std::type_identity<E>) {
            if constexpr (std::is_same_v<E, CheckedOut>) {
                rows.erase(key);
            } else {
                Carts::evolve(rows[key], parse_as<E>(event), event.at);
            }
        });
    }
    return texts(rows);
}

std::map<std::string, std::string> pure_skus(Log& log) {
    std::map<std::string, SkuRow> rows;
    for (const RecordedEvent& event : all_events(log)) {
        Skus::Event::visit_type(event.at.type, [&]<class E>(std::type_identity<E>) {
            const E message = parse_as<E>(event);
            Skus::evolve(rows[message.sku()], message, event.at);
        });
    }
    return texts(rows);
}

std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> pure_counts(Log& log) {
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> all;
    for (const RecordedEvent& event : all_events(log)) {
        Counts::Event::visit_type(event.at.type, [&](const auto&) {
            all[{event.at.position.partition.value, event.at.position.n}] = 1;
        });
    }
    return all;
}

std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts(EventStore& store) {
    View<Counts> view{store};
    const ReadResult read = view.query(eventual(), "select part, n, times from counts");
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> all;
    for (std::size_t row = 0; row < read.result.size(); ++row) {
        all[{read.result.integer(row, 0), read.result.integer(row, 1)}] =
            read.result.integer(row, 2);
    }
    return all;
}

}  // namespace recount::test::projections
