#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include <recount/saga/engine.hpp>

#include "active.hpp"
#include "cursor.hpp"
#include "delivery.hpp"

namespace recount {

/// What the engine knows and does, in rounds: read the log, begin what starts (one commit), then,
/// in waves, send the open commands of all sagas (one commit) and record what came of them with
/// what follows from it (one commit), until nothing can be done now. One thread but for list().
class SagaEngine::Work {
public:
    Work(EventStore& store, SagaEngineOptions options);

    void add(saga::Kind kind, bool from_beginning);
    void deliver(std::string type, saga::Route route);
    void check_routes() const;

    /// True when it did anything.
    bool round(const std::stop_token& stop);
    /// Waits for new events, no longer than until something is due.
    void wait(const std::stop_token& stop);
    /// What was done since the last call.
    SagaProgress take_progress();
    [[nodiscard]] const SagaEngineOptions& options() const { return options_; }
    [[nodiscard]] std::vector<SagaListing> list() const;

private:
    struct Registered {
        saga::Kind kind;
        saga::Cursor cursor;
        bool cursor_due = false;
    };
    struct Start {
        Registered* kind = nullptr;
        RecordedEvent event;
    };
    struct Beginning {
        const Start* start = nullptr;
        std::string id;
        saga::Move move = {};
        Append append = {};
    };
    struct Pending {
        saga::Active* active = nullptr;
        saga::Move move = {};
        Append append = {};
    };

    // read_log.cpp: what there is to begin, and whom a person dealt with.
    bool read_log(const std::stop_token& stop);
    void sort_in(const RecordedEvent& event);
    bool hear_of_persons();
    void resumed(const RecordedEvent& event);

    // begin.cpp: from starts to begun sagas.
    void begin(const std::stop_token& stop);
    Beginning beginning(const Start& start);
    saga::Move first_move(const Start& start, const std::string& id, std::string refusal);
    std::string target_of(const saga::Kind& kind, const NewEvent& command) const;
    void settle(Beginning& beginning, const saga::Verdict& verdict);
    void settle_refused(Beginning& beginning, saga::Active& active, const std::string& why);
    bool same_content(const saga::v1::SagaBegun& begun, const RecordedEvent& event);
    void started_again(const Beginning& beginning, saga::Active& active);
    saga::Active& adopt(const std::string& name, const std::string& id);

    // wave.cpp: from open commands to recorded answers.
    bool wave();
    bool read_stale();
    void read(saga::Active& active);
    bool pass_time();
    bool send();
    void take(const saga::Report& report);
    bool learn();
    static void propose(saga::Active& active, saga::Move move, std::vector<Pending>& pending);
    void fill(saga::Active& active, saga::Move move, const Append& append, Version version);
    void count_end(const saga::Active& active);
    void commit(std::vector<Pending> pending);
    void ask_person(saga::Active& active, const std::string& why);
    void later(saga::Active& active);
    bool leave_to_newer(saga::Active& active);
    static void lose(saga::Active& active, const std::string& why);
    [[nodiscard]] bool delayed(const saga::Active& active) const;
    void let_go();

    // work.cpp: cursors, listing, time.
    std::vector<Registered*> due_cursors();
    std::vector<Append> cursor_appends(Registered& registered);
    void save_cursors();
    void note_attention(const saga::Active& active);
    void publish_alarm(const Registered& registered);
    void publish_listing();
    [[nodiscard]] Timestamp time() const;
    Metrics& metrics() { return store_.environment().metrics; }

    EventStore& store_;
    SagaEngineOptions options_;
    Timestamp wall_at_start_;
    std::chrono::nanoseconds steady_at_start_;

    std::map<std::string, Registered> kinds_;
    std::unordered_map<std::string, std::vector<Registered*>> started_by_;  // by event type
    saga::Routes routes_;

    Positions read_;   // of the log
    Positions heard_;  // of persons, as far as that goes beyond what was read
    std::int32_t next_partition_ = 0;
    std::size_t idle_events_ = 0;                 // read since the cursors were due
    std::vector<Start> starts_;                   // read, and not yet begun
    std::map<std::string, saga::Active> active_;  // by stream
    SagaProgress progress_;

    mutable std::mutex listing_mutex_;
    std::vector<SagaListing> listing_;
};

}  // namespace recount
