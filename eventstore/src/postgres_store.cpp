#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/eventstore/newest_heads.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "group_commit.hpp"
#include "postgres_address.hpp"
#include "postgres_announcer.hpp"
#include "postgres_append.hpp"
#include "postgres_callers.hpp"
#include "postgres_filter.hpp"
#include "postgres_listener.hpp"
#include "postgres_maintain.hpp"
#include "postgres_pool.hpp"
#include "postgres_read.hpp"
#include "postgres_restore.hpp"
#include "postgres_schemas.hpp"
#include "postgres_setup.hpp"
#include "postgres_snapshots.hpp"
#include "postgres_verify.hpp"
#include "postgres_visit.hpp"
#include "postgres_watch.hpp"
#include "store_base.hpp"
#include "stores.hpp"

namespace recount {
namespace {

using namespace postgres;

/// A schema of a PostgreSQL database, and what this process has learnt about it.
class PostgresStore final : public StoreBase,
                            public TakesCallersTransaction,
                            public LearnsHeads,
                            public TellsNewestHeads {
public:
    PostgresStore(const std::string& store_url, const StoreOptions& options)
        : StoreBase(store_url, options),
          read_only_(options.read_only),
          patience_(options.timeout),
          pool_(parse_address(store_url), session_options(options), options.connections,
                environment_),
          facts_(pool_.with_session(
              [&](Session& session) { return set_up_store(session, options, environment_); })),
          origins_(living_origins(facts_.identity, facts_.incarnations)),
          schemas_(pool_, facts_.identity.incarnation),
          watch_(environment_, facts_.identity.partitions, [this] { return heads(); }),
          announcer_(parse_address(store_url), channel(), environment_),
          appender_(pool_, schemas_, environment_, {facts_.identity, origins_, {}},
                    static_cast<std::int32_t>(facts_.incarnations.size()),
                    [this](const std::vector<PlannedHead>& grown) {
                        watch_.grown(grown);
                        announcer_.grown();
                    },
                    {.patience = options.timeout, .limits = limits_}),
          groups_(environment_, facts_.identity.name,
                  [this](AppendGroup group) { return appender_.append(group); },
                  // One connection is left to those who read.
                  {.groups = std::max<std::size_t>(options.connections, 2) - 1,
                   .partitions = facts_.identity.partitions,
                   .apart = std::bind_front(&Appender::goes_apart, &appender_)}) {
        identity_ = facts_.identity;
        warnings_ = facts_.warnings;
    }

    std::vector<Incarnation> incarnations() override {
        return pool_.with_session(
            [&](Session& session) { return read_incarnations(session, identity_.partitions); });
    }

    std::optional<CommandOutcome> find_outcome(std::string_view command_id) override {
        return pool_.with_session(
            [&](Session& session) { return read_outcome(session, command_id); });
    }

    AppendResult append_and_commit(CallersTransaction& transaction, const Append& one) override {
        check_append(one, limits_);
        check_writable();
        AppendResult result = accepted(appender_.append_last(transaction, one));
        if (one.missed_events > 0) add_missed(one, result.conflict);
        return result;
    }

    CommandOutcome void_command(std::string_view command_id) override;

    std::int64_t visit_stream(const StreamName& stream, Version from, std::size_t page,
                              const TakeEvent& take) override {
        return postgres::visit_stream(pool_, stream, from, page, take);
    }

    SnapshotPage read_snapshot(const StreamName& stream, std::string_view type, std::int64_t fold,
                               ReadStream options) override {
        return pool_.with_session([&](Session& session) {
            return postgres::read_snapshot(session, stream, type, fold, options);
        });
    }

    std::vector<LogHead> heads() override {
        return pool_.with_session([&](Session& session) { return read_heads(session, origins_); });
    }

    NewestHeads newest_heads() override {
        return {pool_.with_session([&](Session& each) { return read_newest(each, origins_); }), {}};
    }

    std::vector<LogHead> learn(std::vector<LogHead> heads,
                               std::chrono::nanoseconds asked) override {
        watch_.told(heads, asked);
        return with_origins(std::move(heads), origins_);
    }

    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        if (at_most > Duration{0}) listen();
        return watch_.wait(seen, at_most, std::move(stop));
    }

    std::optional<std::string> schema(std::string_view type, std::uint32_t revision) override {
        return pool_.with_session(
            [&](Session& session) { return read_schema(session, type, revision); });
    }

protected:
    StreamPage read_stream_page(const StreamName& stream, const ReadStream& options) override {
        return pool_.with_session(
            [&](Session& session) { return postgres::read_stream_page(session, stream, options); });
    }

    LogPage read_log_page(Partition partition, std::int64_t after,
                          const ReadLog& options) override {
        return checked_by_history([&](Session& session) {
            return postgres::read_log_page(session, partition, after, options, identity_.id,
                                           facts_.incarnations);
        });
    }

    LogPage read_filtered_page(Partition partition, std::int64_t after,
                               const ReadLog& options) override {
        return checked_by_history([&](Session& session) {
            return postgres::read_filtered_page(session, partition, after, options, identity_.id,
                                                facts_.incarnations);
        });
    }

    std::vector<AppendResult> append_checked(std::span<const Append> appends) override {
        check_writable();
        return groups_.append(appends);
    }

    void confirm_found() override { appender_.confirm_found(); }

    std::unique_ptr<StagedChunk> stage_chunk(const ImportChunk& chunk,
                                             const StagedChunk* before) override {
        return appender_.stage(chunk, before);
    }

    AppendResult import_chunk(const ImportChunk& chunk, StagedChunk* staged) override {
        return appender_.import_chunk(chunk, staged);
    }

    std::vector<StreamHead> list_names(const NameRange& range, std::size_t limit) override {
        return pool_.with_session(
            [&](Session& session) { return postgres::list_names(session, range, limit); });
    }

    std::int64_t erase_some(const StreamName& stream, const Erasure& what) override {
        return writing([&](Session& session) { return erase_events(session, stream, what); });
    }

    bool has_snapshot(const StreamName& stream, Version at_least) override {
        return pool_.with_session(
            [&](Session& session) { return postgres::has_snapshot(session, stream, at_least); });
    }

    void put_snapshot(const StreamName& stream, const Snapshot& snapshot) override {
        pool_.with_session([&](Session& session) {
            require_same_server(session, facts_.identity.incarnation);
            postgres::put_snapshot(session, stream, snapshot);
            return true;
        });
    }

    Timestamp raise_horizon(Timestamp horizon) override {
        return writing([&](Session& session) { return postgres::raise_horizon(session, horizon); });
    }

    std::vector<OutcomeRow> outcome_rows(std::string_view after, std::size_t limit,
                                         bool with_bytes) override {
        return pool_.with_session([&](Session& session) {
            return postgres::outcome_rows(session, after, limit, with_bytes);
        });
    }

    std::vector<RevisionRow> revision_rows() override {
        return pool_.with_session(postgres::revision_rows);
    }

    std::vector<EventColumns> event_columns(Partition partition, std::int64_t after,
                                            std::size_t limit) override {
        return pool_.with_session([&](Session& session) {
            return postgres::event_columns(session, partition, after, limit);
        });
    }

    void forget_outcomes(const std::vector<std::string_view>& command_ids) override {
        writing([&](Session& session) {
            postgres::forget_outcomes(session, command_ids);
            return true;
        });
    }

    void check_writable() const override {
        if (!read_only_) return;
        throw InvalidArgument(identity_.name +
                              " was opened to be read only; open it to be written for that");
    }

private:
    template <class Write>
    std::invoke_result_t<Write, Session&> writing(const Write& write) {
        return pool_.with_session([&](Session& session) {
            require_living(session, facts_.identity.incarnation);
            return write(session);
        });
    }

    /// Says why hashes are not those expected when they are those of another history.
    template <class Read>
    LogPage checked_by_history(const Read& read) {
        try {
            return pool_.with_session(read);
        } catch (const Divergence&) {
            if (incarnations().back().id == facts_.identity.incarnation) throw;
            throw Divergence(another_history(identity_.name));
        }
    }

    [[nodiscard]] std::string channel() const { return "recount-" + to_string(facts_.identity.id); }

    /// From the first wait on: a store that nobody waits on has no connection for it.
    void listen() {
        const std::lock_guard lock{listening_};
        if (listener_) return;
        listener_ = std::make_unique<Listener>(parse_address(url_), channel(), environment_,
                                               [this] { watch_.heard(); });
    }

    bool read_only_;
    Duration patience_;  // with what is in doubt
    Pool pool_;
    StoreFacts facts_;
    std::vector<LogHead> origins_;
    Schemas schemas_;
    Watch watch_;
    Announcer announcer_;
    Appender appender_;
    GroupCommit groups_;
    std::mutex listening_;
    std::unique_ptr<Listener> listener_;
};

CommandOutcome PostgresStore::void_command(std::string_view command_id) {
    check_command_id(command_id);
    check_writable();
    const CommandOutcome claim = voided_outcome(command_id, identity_, environment_.clock.now());
    const Deadline patience{environment_, patience_};
    for (bool in_doubt = false;;) {
        try {
            return writing([&](Session& session) { return claim_outcome(session, claim); });
        } catch (const OutcomeUnknown&) {
            if (patience.passed()) throw;
            in_doubt = true;  // claiming again finds out
        } catch (const Error& error) {
            if (!in_doubt) throw;  // else what is refused now may have been done before
            if (!error.retryable() || patience.passed()) throw OutcomeUnknown(error.what());
        }
        environment_.scheduler.sleep(std::chrono::milliseconds{20});
    }
}

}  // namespace

std::unique_ptr<EventStore> open_postgres_store(const std::string& url,
                                                const StoreOptions& options) {
    if (!options.durable) {
        throw InvalidArgument(
            "a store on PostgreSQL waits for the disk with each commit; leave `durable` as it is");
    }
    return std::make_unique<PostgresStore>(url, options);
}

}  // namespace recount
