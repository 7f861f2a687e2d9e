#include "relay_cursors.hpp"

#include <recount/core/error.hpp>
#include <recount/eventstore/lease.hpp>
#include <recount/eventstore/sql.hpp>
#include <recount_sql/recount_outbox.hpp>

#include <array>
#include <optional>
#include <string>

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
    DatabaseCursors(EventStore& store, const RelayOptions& options)
        : topic_(options.topic.name),
          partitions_(static_cast<std::size_t>(store.identity().partitions)),
          leases_(Leases::open(store.url(),
                               {.lifetime = options.lease, .environment = &store.environment()})),
          database_(Database::open(url_of(store))) {
        auto sql = database_->begin(SqlMode::write);
        sql->script(sql::relay_cursors);
        sql->commit();
    }

    bool hold() override {
        if (held()) return true;
        constexpr std::array whole{Partition{0}};
        const auto leases = leases_->acquire("relay " + topic_, whole);
        if (leases.empty()) return false;
        lease_ = leases.front();
        return true;
    }

    [[nodiscard]] bool held() const override { return lease_ && leases_->held(*lease_); }

    void release() override {
        if (!lease_) return;
        leases_->release(*lease_);
        lease_.reset();
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
        if (!lease_) throw Fenced("relay of " + topic_ + " has no lease; it stands by");
        leases_->check(*sql, *lease_);
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
    std::string topic_;
    std::size_t partitions_;
    std::unique_ptr<Leases> leases_;
    std::optional<Lease> lease_;
    std::unique_ptr<Database> database_;
};

}  // namespace

std::unique_ptr<Cursors> open_cursors(EventStore& store, const RelayOptions& options) {
    return std::make_unique<DatabaseCursors>(store, options);
}

}  // namespace recount
