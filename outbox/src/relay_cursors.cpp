#include "relay_cursors.hpp"

#include <recount/core/error.hpp>
#include <recount/eventstore/lease.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount_sql/recount_outbox.hpp>

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace recount {
namespace {

std::string url_of(const EventStore& store) {
    const std::string& url = store.url();
    if (url.starts_with("memory:")) return "sqlite::memory:";
    // One connection writes a SQLite store's file, and it is not ours.
    if (url.starts_with("sqlite:")) return url + ".relay";
    return url;
}

class DatabaseCursors : public Cursors {
public:
    DatabaseCursors(EventStore& store, std::string lease, Duration lifetime)
        : name_(std::move(lease)),
          partitions_(static_cast<std::size_t>(store.identity().partitions)),
          leases_(Leases::open(store.url(),
                               {.lifetime = lifetime, .environment = &store.environment()})),
          database_(Database::open(url_of(store))) {
        auto sql = database_->begin(SqlMode::write);
        if (sql->dialect() == SqlDialect::postgresql) {
            // "if not exists" does not keep two who begin at once from making the same table.
            sql->query("select count(*) from pg_advisory_xact_lock(7204918, 2)");
        }
        sql->script(sql::relay_cursors);
        sql->commit();
    }

    bool hold() override {
        if (held()) return true;
        constexpr std::array whole{Partition{0}};
        const auto leases = leases_->acquire(name_, whole);
        if (leases.empty()) return false;
        lease_ = leases.front();
        return true;
    }

    [[nodiscard]] bool held() const override { return lease_ && leases_->held(*lease_); }

    StoreEnd renew(EventStore& store) override { return leases_->renew(store); }

    void release() override {
        if (!lease_) return;
        leases_->release(*lease_);
        lease_.reset();
    }

    Progress load(const std::string& topic) override {
        auto sql = database_->begin(SqlMode::snapshot);
        const auto rows =
            sql->query("select partition, n, hash from relay_cursor where topic = $1", topic);
        Progress progress;
        progress.cursors.resize(partitions_);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const auto partition = static_cast<std::size_t>(rows.integer(row, 0));
            if (partition < partitions_) {
                progress.cursors[partition] = {rows.integer(row, 1),
                                               Hash::from(rows.bytes(row, 2))};
            }
        }
        const auto ends = sql->query(
            "select last_offset from relay_end where topic = $1 order by partition", topic);
        for (std::size_t row = 0; row < ends.size(); ++row) {
            progress.last_offsets.push_back(ends.integer(row, 0));
        }
        load_messages(*sql, topic, progress);
        return progress;
    }

    void save(const std::string& topic, const Progress& progress) override {
        auto sql = database_->begin(SqlMode::write);
        if (!lease_) throw Fenced(name_ + " has no lease; it stands by");
        leases_->check(*sql, *lease_);
        RowsWrite cursors;
        cursors.table = "relay_cursor";
        cursors.columns = {"topic", "partition", "n", "hash"};
        cursors.types = {"text", "bigint", "bigint", "bytea"};
        cursors.key = {"topic", "partition"};
        for (std::size_t index = 0; index < progress.cursors.size(); ++index) {
            const Cursor& cursor = progress.cursors[index];
            cursors.rows.push_back({topic, static_cast<std::int64_t>(index), cursor.n,
                                    Bytes{std::string{cursor.hash.view()}}});
        }
        sql->write(cursors);
        if (!progress.last_offsets.empty()) save_ends(*sql, topic, progress.last_offsets);
        if (!progress.last_messages.empty()) save_messages(*sql, topic, progress.last_messages);
        sql->commit();
    }

private:
    static void load_messages(Sql& sql, const std::string& topic, Progress& progress) {
        const auto rows = sql.query(
            "select last_offset, event from relay_message where topic = $1 order by partition",
            topic);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            progress.last_messages.push_back(
                {rows.integer(row, 0), Uuid::from(rows.bytes(row, 1))});
        }
    }

    static void save_messages(Sql& sql, const std::string& topic,
                              const std::vector<LastMessage>& last_messages) {
        RowsWrite messages;
        messages.table = "relay_message";
        messages.columns = {"topic", "partition", "last_offset", "event"};
        messages.types = {"text", "bigint", "bigint", "bytea"};
        messages.key = {"topic", "partition"};
        for (std::size_t index = 0; index < last_messages.size(); ++index) {
            const LastMessage& message = last_messages[index];
            messages.rows.push_back({topic, static_cast<std::int64_t>(index), message.offset,
                                     Bytes{std::string{message.event_id.view()}}});
        }
        sql.write(messages);
        sql.exec("delete from relay_message where topic = $1 and partition >= $2", topic,
                 static_cast<std::int64_t>(last_messages.size()));
    }

    static void save_ends(Sql& sql, const std::string& topic,
                          const std::vector<std::int64_t>& last_offsets) {
        RowsWrite ends;
        ends.table = "relay_end";
        ends.columns = {"topic", "partition", "last_offset"};
        ends.types = {"text", "bigint", "bigint"};
        ends.key = {"topic", "partition"};
        for (std::size_t index = 0; index < last_offsets.size(); ++index) {
            ends.rows.push_back({topic, static_cast<std::int64_t>(index), last_offsets[index]});
        }
        sql.write(ends);
        // Of a topic that was made anew with fewer of them.
        sql.exec("delete from relay_end where topic = $1 and partition >= $2", topic,
                 static_cast<std::int64_t>(last_offsets.size()));
    }

    std::string name_;
    std::size_t partitions_;
    std::unique_ptr<Leases> leases_;
    std::optional<Lease> lease_;
    std::unique_ptr<Database> database_;
};

}  // namespace

std::unique_ptr<Cursors> open_cursors(EventStore& store, const std::string& lease,
                                      Duration lifetime) {
    return std::make_unique<DatabaseCursors>(store, lease, lifetime);
}

}  // namespace recount
