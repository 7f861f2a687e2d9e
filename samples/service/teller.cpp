#include "teller.hpp"

#include <recount/core/error.hpp>

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace articles {
namespace {

constexpr auto pause = std::chrono::seconds{1};

/// The place is of the history that the store tells now.
void check(recount::EventStore& store, recount::Position position, const recount::Uuid& kept_in) {
    recount::StorePositions seen{store.identity().id, kept_in, {}};
    seen.positions.set(position);
    if (recount::still_holds(seen, store.incarnations())) return;
    throw recount::Mismatch("what was told up to position " + recount::to_string(position) +
                            " is no more in the store; see what was lost, then correct the place");
}

}  // namespace

// [reaction]
Teller::Teller(recount::EventStore& store, const std::string& place, Tell tell)
    : store_(store), database_(recount::Database::open(place)), tell_(std::move(tell)) {
    const auto sql = database_->begin(recount::SqlMode::write);
    sql->exec(
        "create table if not exists place "
        "(partition bigint primary key, position bigint not null, incarnation bytea not null)");
    const auto kept = sql->query("select partition, position, incarnation from place");
    for (std::size_t row = 0; row < kept.size(); ++row) {
        const recount::Partition partition{static_cast<std::int32_t>(kept.integer(row, 0))};
        done_.set({partition, kept.integer(row, 1)});
        check(store, {partition, kept.integer(row, 1)}, recount::Uuid::from(kept.bytes(row, 2)));
    }
    sql->commit();
}

void Teller::go_through(recount::Partition partition, const std::stop_token& stop) {
    const recount::LogFilter wanted{.types = {recount::type_name<Published>()}};
    for (bool end = false; !end && !stop.stop_requested();) {
        const recount::LogPage page =
            store_.read(partition, done_[partition], {.max_events = 100, .filter = wanted});
        for (const recount::RecordedEvent& event : page.events) {
            if (event.erased()) continue;
            tell_(to_string(event.at.event_id), recount::parse_as<Published>(event));
            keep(event.at.position);  // behind the deed: a crash in between repeats it
        }
        if (page.upto > done_[partition]) keep({partition, page.upto});
        end = page.end;
    }
}

void Teller::keep(const recount::Position& position) {
    const auto sql = database_->begin(recount::SqlMode::write);
    sql->exec(
        "insert into place (partition, position, incarnation) values ($1, $2, $3) "
        "on conflict (partition) do update "
        "set position = excluded.position, incarnation = excluded.incarnation",
        position.partition.value, position.n,
        recount::Bytes{std::string{store_.identity().incarnation.view()}});
    sql->commit();
    done_.set(position);
}

std::string Teller::run(std::stop_token stop) {
    while (!stop.stop_requested()) {
        try {
            for (std::int32_t n = 0; n < store_.identity().partitions; ++n) {
                go_through(recount::Partition{n}, stop);
            }
            store_.wait(done_, pause, stop);
        } catch (const recount::Divergence& error) {
            return error.what();
        } catch (const std::exception& error) {
            spdlog::warn("telling is tried again: {}", error.what());
            store_.environment().scheduler.sleep(pause, stop);
        }
    }
    return "asked to stop";
}
// [reaction]

}  // namespace articles
