#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include "leases.hpp"
#include "postgres_pool.hpp"
#include "postgres_restore.hpp"
#include "postgres_rows.hpp"
#include "postgres_watch.hpp"

namespace recount {
namespace {

using namespace postgres;

// Taking over locks the row as check() does not allow; renewing and acquiring again do not, so that
// a long transaction of the owner keeps others out, but not the owner itself. A locked row is
// somebody's: not waited for.
constexpr std::string_view acquire_sql =
    "with wanted as (select unnest($2::integer[]) as partition), "
    "made as (insert into lease (name, partition, owner, epoch, expires_at, backend_pid) "
    "  select $1, partition, $3, 1, clock_timestamp() + $4 * interval '1 microsecond', "
    "         pg_backend_pid() from wanted on conflict do nothing returning partition, epoch), "
    "own as (select l.partition from lease l join wanted using (partition) "
    "  where l.name = $1 and l.owner = $3 "
    "  order by l.partition for no key update of l skip locked), "
    "free as (select l.partition from lease l join wanted using (partition) "
    "  where l.name = $1 and l.owner <> $3 and l.expires_at <= clock_timestamp() "
    "  order by l.partition for update of l skip locked), "
    "taken as (update lease l set owner = $3, epoch = l.epoch + (l.owner <> $3)::integer, "
    "    expires_at = clock_timestamp() + $4 * interval '1 microsecond', "
    "    backend_pid = pg_backend_pid() "
    "  from (table own union all table free) f where l.name = $1 and l.partition = f.partition "
    "    and (l.owner = $3 or l.expires_at <= clock_timestamp()) "
    "  returning l.partition, l.epoch) "
    "select partition, epoch from made union all select partition, epoch from taken "
    "order by partition";

constexpr std::string_view renew_sql =
    "update lease l set expires_at = clock_timestamp() + $4 * interval '1 microsecond', "
    "    backend_pid = pg_backend_pid() "
    "from unnest($1::text[], $2::integer[], $3::bigint[]) u (name, partition, epoch) "
    "where l.name = u.name and l.partition = u.partition and l.epoch = u.epoch and l.owner = $5 "
    "returning l.name, l.partition, l.epoch";

// The store's heads are the rows without a name.
constexpr std::string_view renew_and_look_sql =
    "with renewed as ({}) "
    "select name, partition, epoch, null::bytea as hash, null::bigint as recorded_at, "
    "  null::bigint as incarnations from renewed union all "
    "select null, partition, position, hash, recorded_at, (select count(*) from incarnation) "
    "from partition order by partition";

constexpr std::string_view release_sql =
    "update lease set owner = '', expires_at = clock_timestamp() "
    "where name = $1 and partition = $2 and epoch = $3 and owner = $4";

class PostgresLeases final : public Leases {
public:
    PostgresLeases(const std::string& url, const LeaseOptions& options)
        : url_(url),
          lifetime_(options.lifetime),
          environment_(options.environment == nullptr ? Environment::system()
                                                      : *options.environment),
          address_(parse_address(url)),
          pool_(address_, {.timeout = options.timeout, .application = "recount leases"}, 2,
                environment_),
          owner_(to_string(new_uuid7(environment_))),
          check_sql_(fmt::format("select 1 from {} where name = $1 and partition = $2 "
                                 "and epoch = $3 and owner = $4 for key share",
                                 identifier(address_.schema + ".lease"))),
          renew_and_look_sql_(fmt::format(renew_and_look_sql, renew_sql)) {
        const bool there = pool_.with_session([](Session& session) {
            return session.run("select to_regclass('lease') is not null").integer(0, 0) != 0;
        });
        if (!there) {
            throw Mismatch(fmt::format(
                "schema '{}' holds no store; open the store before its leases", address_.schema));
        }
        renewing_ = environment_.scheduler.spawn("leases", [this](std::stop_token stop) {
            while (environment_.scheduler.sleep(lifetime_ / 6, stop)) {
                if (due()) renew();
            }
        });
    }

    ~PostgresLeases() override {
        renewing_.reset();
        for (const auto& [key, owned] : owned_) {
            try {
                give_back({key.first, key.second, owned.epoch});
            } catch (const std::exception&) {
                return;  // the rest expires by itself
            }
        }
    }

    std::vector<Lease> acquire(std::string_view name,
                               std::span<const Partition> partitions) override {
        Array wanted{Type::integer};
        for (const Partition partition : partitions) wanted.add(std::int64_t{partition.value});
        const std::array arguments{text(name), std::move(wanted).finish(), text(owner_),
                                   real(lifetime_.count())};
        const auto asked = environment_.clock.steady();
        const Result rows = write(acquire_sql, arguments);
        std::vector<Lease> leases;
        const std::lock_guard lock{mutex_};
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const Partition partition{static_cast<std::int32_t>(rows.integer(row, 0))};
            leases.push_back({std::string{name}, partition, rows.integer(row, 1)});
            owned_[{std::string{name}, partition}] = {leases.back().epoch, asked};
        }
        return leases;
    }

    StoreEnd renew(EventStore& store) override {
        auto* learns = store.url() == url_ ? dynamic_cast<LearnsHeads*>(&store) : nullptr;
        if (learns == nullptr) {
            renew();
            return {store.heads(), store.incarnations().size()};
        }
        const auto asked = environment_.clock.steady();
        const Result rows = renew(renew_and_look_sql_);
        StoreEnd end;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            if (!rows.null(row, 0)) continue;
            end.heads.push_back(head_from(rows, row, 2));
            end.incarnations = static_cast<std::size_t>(rows.integer(row, 5));
        }
        end.heads = learns->learn(std::move(end.heads), asked);
        return end;
    }

    void release(const Lease& lease) override {
        {
            const std::lock_guard lock{mutex_};
            const auto owned = owned_.find({lease.name, lease.partition});
            if (owned == owned_.end() || owned->second.epoch != lease.epoch) return;
            owned_.erase(owned);
        }
        give_back(lease);
    }

    [[nodiscard]] bool held(const Lease& lease) override {
        const std::lock_guard lock{mutex_};
        const auto owned = owned_.find({lease.name, lease.partition});
        return owned != owned_.end() && owned->second.epoch == lease.epoch &&
               environment_.clock.steady() - owned->second.renewed < lifetime_;
    }

    void check(Sql& sql, const Lease& lease) override {
        const SqlResult rows =
            sql.query(check_sql_, lease.name, lease.partition.value, lease.epoch, owner_);
        if (!rows.empty()) return;
        {
            const std::lock_guard lock{mutex_};
            const auto owned = owned_.find({lease.name, lease.partition});
            if (owned != owned_.end() && owned->second.epoch == lease.epoch) owned_.erase(owned);
        }
        throw Fenced(
            fmt::format("partition {} of '{}' is no longer this process's (epoch {}): it was "
                        "not renewed in time and may be another's; acquire it again",
                        lease.partition.value, lease.name, lease.epoch));
    }

private:
    struct Owned {
        std::int64_t epoch = 0;
        std::chrono::nanoseconds renewed{};  // when the renewal was sent
    };
    using Key = std::pair<std::string, Partition>;

    static Parameter real(std::int64_t number) {
        return parameter(SqlValue{static_cast<double>(number)});
    }

    Result write(std::string_view sql, std::span<const Parameter> arguments) {
        return pool_.with_session([&](Session& session) {
            require_same_server(session);
            return session.run(sql, arguments);
        });
    }

    void give_back(const Lease& lease) {
        const std::array arguments{text(lease.name), integer(lease.partition.value),
                                   bigint(lease.epoch), text(owner_)};
        write(release_sql, arguments);
    }

    /// Early enough to be tried twice more.
    bool due() {
        const std::lock_guard lock{mutex_};
        const auto now = environment_.clock.steady();
        return std::any_of(owned_.begin(), owned_.end(), [&](const auto& each) {
            return now - each.second.renewed >= lifetime_ / 2;
        });
    }

    void renew() {
        try {
            renew(renew_sql);
        } catch (const Error&) {
            // The next turn tries again; until then held() tells that time runs out.
        }
    }

    /// By a statement that returns what was renewed, and rows without a name.
    Result renew(std::string_view sql) {
        std::map<Key, Owned> before;
        {
            const std::lock_guard lock{mutex_};
            before = owned_;
        }
        Array names{Type::text};
        Array partitions{Type::integer};
        Array epochs{Type::bigint};
        for (const auto& [key, owned] : before) {
            names.add(std::string_view{key.first});
            partitions.add(std::int64_t{key.second.value});
            epochs.add(owned.epoch);
        }
        const std::array arguments{std::move(names).finish(), std::move(partitions).finish(),
                                   std::move(epochs).finish(), real(lifetime_.count()),
                                   text(owner_)};
        const auto asked = environment_.clock.steady();
        Result rows = write(sql, arguments);
        keep(before, asked, rows);
        return rows;
    }

    void keep(const std::map<Key, Owned>& before, std::chrono::nanoseconds asked,
              const Result& rows) {
        std::map<Key, std::int64_t> renewed;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            if (rows.null(row, 0)) continue;
            renewed[{std::string{rows.text(row, 0)},
                     Partition{static_cast<std::int32_t>(rows.integer(row, 1))}}] =
                rows.integer(row, 2);
        }
        const std::lock_guard lock{mutex_};
        for (const auto& [key, old] : before) {
            const auto owned = owned_.find(key);
            if (owned == owned_.end() || owned->second.epoch != old.epoch) continue;
            if (renewed.contains(key)) {
                owned->second.renewed = asked;
            } else {
                owned_.erase(owned);
            }
        }
    }

    const std::string url_;
    const Duration lifetime_;
    Environment& environment_;
    const Address address_;
    Pool pool_;
    const std::string owner_;
    const std::string check_sql_;
    const std::string renew_and_look_sql_;
    std::mutex mutex_;
    std::map<Key, Owned> owned_;
    std::unique_ptr<Task> renewing_;
};

}  // namespace

std::unique_ptr<Leases> open_postgres_leases(const std::string& url, const LeaseOptions& options) {
    return std::make_unique<PostgresLeases>(url, options);
}

}  // namespace recount
