#include "relay_cursors.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <unistd.h>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount_sql/recount_outbox.hpp>

namespace recount {
namespace {

std::string url_of(const EventStore& store, const RelayOptions& options) {
    if (!options.cursor_url.empty()) return options.cursor_url;
    const std::string& url = store.url();
    if (url.starts_with("memory:")) return "sqlite::memory:";
    // One connection writes a SQLite store's file, and it is not ours.
    if (url.starts_with("sqlite:")) return url + ".relay";
    return url;
}

std::string owner_of(const RelayOptions& options, Environment& environment) {
    std::string host(256, '\0');
    if (gethostname(host.data(), host.size() - 1) != 0) host = "?";
    host.resize(std::string_view{host.c_str()}.size());
    const std::string name =
        options.owner.empty() ? host + " process " + std::to_string(getpid()) : options.owner;
    return name + " " + to_string(new_uuid7(environment));
}

/// What time it is for the database, in microseconds since 1970.
std::string_view clock_of(SqlDialect dialect) {
    return dialect == SqlDialect::sqlite
               ? "cast((julianday('now') - 2440587.5) * 86400000000 as integer)"
               : "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";
}

class DatabaseCursors : public Cursors {
public:
    DatabaseCursors(EventStore& store, const RelayOptions& options)
        : environment_(store.environment()),
          topic_(options.topic.name),
          lease_(options.lease),
          owner_(owner_of(options, environment_)),
          partitions_(static_cast<std::size_t>(store.identity().partitions)),
          database_(Database::open(url_of(store, options))),
          clock_(clock_of(database_->dialect())) {
        auto sql = database_->begin(SqlMode::write);
        sql->script(sql::relay_cursors);
        sql->commit();
    }

    bool hold() override {
        const auto asked = environment_.clock.steady();
        auto sql = database_->begin(SqlMode::write);
        const auto rows = sql->query(
            "insert into relay_lease (topic, owner, epoch, until) values ($1, $2, 1, " + clock_ +
                " + $3) on conflict (topic) do update set epoch = relay_lease.epoch + case when "
                "relay_lease.owner = excluded.owner then 0 else 1 end, owner = excluded.owner, "
                "until = excluded.until where relay_lease.owner = excluded.owner or "
                "relay_lease.until < " +
                clock_ + " returning epoch",
            topic_, owner_, lease_.count());
        if (rows.empty()) {
            held_until_ = std::chrono::nanoseconds{0};
            return false;
        }
        epoch_ = rows.integer(0, 0);
        sql->commit();
        held_until_ = asked + lease_;
        return true;
    }

    [[nodiscard]] bool held() const override { return environment_.clock.steady() < held_until_; }

    void release() override {
        held_until_ = std::chrono::nanoseconds{0};
        auto sql = database_->begin(SqlMode::write);
        sql->exec("update relay_lease set until = 0 where topic = $1 and owner = $2", topic_,
                  owner_);
        sql->commit();
    }

    std::vector<Cursor> load(const std::string& topic) override {
        auto sql = database_->begin(SqlMode::snapshot);
        const auto rows =
            sql->query("select partition, n, hash from relay_cursor where topic = $1", topic);
        std::vector<Cursor> cursors(partitions_);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const auto partition = static_cast<std::size_t>(rows.integer(row, 0));
            if (partition < cursors.size()) {
                cursors[partition] = {rows.integer(row, 1), Hash::from(rows.bytes(row, 2))};
            }
        }
        return cursors;
    }

    void save(const std::string& topic, const std::vector<Cursor>& cursors) override {
        auto sql = database_->begin(SqlMode::write);
        // Locks the row, so that nobody takes the lease over before this commits.
        const auto ours = sql->exec("update relay_lease set until = " + clock_ +
                                        " + $4 where topic = $1 and owner = $2 and "
                                        "epoch = $3",
                                    topic_, owner_, epoch_, lease_.count());
        if (ours != 1) {
            held_until_ = std::chrono::nanoseconds{0};
            throw Fenced("relay of " + topic_ + " lost its lease to another relay; it stands by");
        }
        RowsWrite write;
        write.table = "relay_cursor";
        write.columns = {"topic", "partition", "n", "hash"};
        write.types = {"text", "bigint", "bigint", "bytea"};
        write.key = {"topic", "partition"};
        for (std::size_t index = 0; index < cursors.size(); ++index) {
            write.rows.push_back({topic, static_cast<std::int64_t>(index), cursors[index].n,
                                  Bytes{std::string{cursors[index].hash.view()}}});
        }
        sql->write(write);
        sql->commit();
    }

private:
    Environment& environment_;
    std::string topic_;
    Duration lease_;
    std::string owner_;
    std::size_t partitions_;
    std::unique_ptr<Database> database_;
    std::string clock_;
    std::int64_t epoch_ = 0;
    std::chrono::nanoseconds held_until_{0};
};

}  // namespace

std::unique_ptr<Cursors> open_cursors(EventStore& store, const RelayOptions& options) {
    return std::make_unique<DatabaseCursors>(store, options);
}

}  // namespace recount
