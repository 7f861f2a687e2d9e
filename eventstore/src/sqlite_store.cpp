#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "databases.hpp"
#include "group_commit.hpp"
#include "known_faults.hpp"
#include "sqlite_store_file.hpp"
#include "sqlite_store_reader.hpp"
#include "sqlite_store_writer.hpp"
#include "store_base.hpp"
#include "stores.hpp"

namespace recount {
namespace {

constexpr Duration shortest_poll = std::chrono::milliseconds{20};
constexpr Duration longest_poll = std::chrono::milliseconds{200};
constexpr int chunks_of_a_pause = 8;

/// A store in a file. One process writes it, through one connection; readers have connections of
/// their own, so neither waits for the other.
class SqliteStore final : public StoreBase {
public:
    SqliteStore(const std::string& url, const StoreOptions& options)
        : StoreBase("sqlite:" + sqlite_path(url), options),
          path_(sqlite_path(url)),
          readers_(path_, options.timeout),
          appended_(environment_.scheduler.signal()),
          group_(environment_, "sqlite:" + path_,
                 [this](AppendGroup group) { return commit(group); }) {
        open_sqlite_file(path_, options, environment_, file_);
        identity_ = file_.identity;
        warnings_ = known_faults_of_sqlite(sqlite::library_version());
        origins_ = living_origins(identity_, file_.incarnations);
        if (!options.read_only) {
            writer_.emplace(path_, options, file_, environment_);
        }
        heads_ = heads();
    }

    std::vector<Incarnation> incarnations() override {
        return with_reader([](SqliteReader& reader) { return reader.incarnations(); });
    }

    std::optional<CommandOutcome> find_outcome(std::string_view command_id) override {
        return with_reader([&](SqliteReader& reader) { return reader.find_outcome(command_id); });
    }

    CommandOutcome void_command(std::string_view command_id) override {
        check_command_id(command_id);
        check_writable();
        const std::lock_guard lock{writing_};
        return writer_->void_command(command_id);
    }

    SnapshotPage read_snapshot(const StreamName& stream, std::string_view type, std::int64_t fold,
                               ReadStream options) override {
        return with_reader([&](SqliteReader& reader) {
            return reader.read_snapshot(stream, type, fold, options);
        });
    }

    std::vector<LogHead> heads() override {
        auto heads = with_reader([](SqliteReader& reader) { return reader.heads(); });
        for (std::size_t i = 0; i < heads.size(); ++i) {
            if (heads[i].n == 0) heads[i].hash = origins_[i].hash;
        }
        return heads;
    }

    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        const Deadline deadline{environment_, at_most};
        return writer_ ? wait_for_signal(seen, deadline, stop) : poll(seen, deadline, stop);
    }

    std::optional<std::string> schema(std::string_view type, std::uint32_t revision) override {
        return with_reader([&](SqliteReader& reader) { return reader.schema(type, revision); });
    }

protected:
    StreamPage read_stream_page(const StreamName& stream, const ReadStream& options) override {
        return with_reader(
            [&](SqliteReader& reader) { return reader.read_stream(stream, options); });
    }

    LogPage read_log_page(Partition partition, std::int64_t after,
                          const ReadLog& options) override {
        try {
            return with_reader([&](SqliteReader& reader) {
                return reader.read(partition, after, options, file_.incarnations);
            });
        } catch (const Divergence&) {
            if (!declared_restored_since()) throw;
            throw Divergence(identity_.name +
                             " does not have the history that this program opened: it was "
                             "declared restored since; open it again");
        }
    }

    LogPage read_filtered_page(Partition partition, std::int64_t after,
                               const ReadLog& options) override {
        return read_log_page(partition, after, options);  // the same rows, looked through
    }

    std::vector<AppendResult> append_checked(std::span<const Append> appends) override {
        check_writable();
        return group_.append(appends);
    }

    std::unique_ptr<StagedChunk> stage_chunk(const ImportChunk& chunk,
                                             const StagedChunk* before) override {
        if (before != nullptr) return writer_->stage_behind(chunk, *before);
        // Beside somebody who appends most rows would be made twice.
        if (const int pause = staging_pause_; pause > 0) {
            staging_pause_ = pause - 1;
            return {};
        }
        std::unique_lock lock{writing_};
        const auto ground = writer_->ground_for(chunk);
        lock.unlock();
        return writer_->stage(chunk, ground);
    }

    AppendResult import_chunk(const ImportChunk& chunk, StagedChunk* staged) override {
        AppendPlan plan;
        {
            const std::lock_guard lock{writing_};
            plan = writer_->import_chunk(chunk, staged);
        }
        if (staged != nullptr && !staged->written()) staging_pause_ = chunks_of_a_pause;
        if (!plan.heads.empty()) publish(plan.heads);
        return std::move(plan.results.front());
    }

    std::vector<StreamHead> list_names(const NameRange& range, std::size_t limit) override {
        return with_reader([&](SqliteReader& reader) { return reader.list_names(range, limit); });
    }

    std::int64_t erase_some(const StreamName& stream, const Erasure& what) override {
        const std::lock_guard lock{writing_};
        return writer_->erase(stream, what);
    }

    bool has_snapshot(const StreamName& stream, Version at_least) override {
        const std::lock_guard lock{writing_};
        return writer_->has_snapshot(stream, at_least);
    }

    void put_snapshot(const StreamName& stream, const Snapshot& snapshot) override {
        const std::lock_guard lock{writing_};
        writer_->put_snapshot(stream, snapshot);
    }

    Timestamp raise_horizon(Timestamp horizon) override {
        const std::lock_guard lock{writing_};
        return writer_->raise_horizon(horizon);
    }

    std::vector<OutcomeRow> outcome_rows(std::string_view after, std::size_t limit,
                                         bool with_bytes) override {
        return with_reader(
            [&](SqliteReader& reader) { return reader.outcome_rows(after, limit, with_bytes); });
    }

    std::vector<RevisionRow> revision_rows() override {
        return with_reader([](SqliteReader& reader) { return reader.revision_rows(); });
    }

    std::vector<EventColumns> event_columns(Partition partition, std::int64_t after,
                                            std::size_t limit) override {
        return with_reader(
            [&](SqliteReader& reader) { return reader.event_columns(partition, after, limit); });
    }

    void forget_outcomes(const std::vector<std::string_view>& command_ids) override {
        const std::lock_guard lock{writing_};
        writer_->forget_outcomes(command_ids);
    }

    void check_writable() const override {
        if (writer_) return;
        throw InvalidArgument(identity_.name +
                              " was opened read_only; open it to be written for that");
    }

private:
    template <class Read>
    std::invoke_result_t<Read, SqliteReader&> with_reader(Read&& read) {
        return readers_.with(identity_, std::forward<Read>(read));
    }

    /// By another process, behind which this one reads.
    bool declared_restored_since() {
        try {
            return incarnations().back().id != identity_.incarnation;
        } catch (const Error&) {
            return false;  // that is another trouble
        }
    }

    std::vector<AppendResult> commit(AppendGroup group) {
        AppendPlan plan;
        {
            const std::lock_guard lock{writing_};
            plan = writer_->append(group);
        }
        if (!plan.heads.empty()) publish(plan.heads);
        return std::move(plan.results);
    }

    void publish(const std::vector<PlannedHead>& grown) {
        {
            const std::lock_guard lock{published_};
            for (const PlannedHead& head : grown) {
                // Those of an import and of a group may come in either order.
                LogHead& known = heads_[static_cast<std::size_t>(head.partition.value)];
                if (head.head.n > known.n) known = head.head;
            }
        }
        appended_->raise();
    }

    bool wait_for_signal(const Positions& seen, const Deadline& deadline, std::stop_token stop) {
        return wait_until(*appended_, deadline, stop, [&] {
            const std::lock_guard lock{published_};
            return any_beyond(heads_, seen);
        });
    }

    /// Another process writes: look now and then, at one page of the file.
    bool poll(const Positions& seen, const Deadline& deadline, std::stop_token stop) {
        Duration pause = shortest_poll;
        while (!any_beyond(heads(), seen)) {
            if (deadline.passed()) return false;
            if (!environment_.scheduler.sleep(std::min(pause, deadline.left()), stop)) return false;
            pause = std::min(pause * 2, longest_poll);
        }
        return true;
    }

    std::string path_;
    SqliteStoreFile file_;  // its lock is given back last
    std::vector<LogHead> origins_;
    std::optional<SqliteWriter> writer_;
    std::mutex writing_;
    std::atomic<int> staging_pause_ = 0;  // so many chunks are not staged
    SqliteReaders readers_;
    std::mutex published_;
    std::vector<LogHead> heads_;  // as committed by this process
    std::unique_ptr<Signal> appended_;
    GroupCommit group_;
};

}  // namespace

std::unique_ptr<EventStore> open_sqlite_store(const std::string& url, const StoreOptions& options) {
    return std::make_unique<SqliteStore>(url, options);
}

}  // namespace recount
