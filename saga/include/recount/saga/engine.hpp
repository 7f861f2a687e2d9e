#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recount/core/environment.hpp>
#include <recount/core/repository.hpp>
#include <recount/eventstore/event_store.hpp>
#include <recount/saga/kind.hpp>
#include <recount/saga/route.hpp>
#include <recount/saga/status.hpp>

namespace recount {

/// How much an engine carries out at a time, and how it waits. The defaults keep some thousand
/// sagas going.
struct SagaEngineOptions {
    std::size_t sagas_at_once = 256;         // begun together, in one commit
    std::size_t commands_per_commit = 1000;  // of all sagas
    std::size_t open_sagas = 2048;           // with so many open, no more are begun
    std::size_t cursor_every = 10'000;       // events read without a start before that is recorded
    Duration shortest_pause = std::chrono::milliseconds{50};  // after an error that may pass;
    Duration longest_pause = std::chrono::seconds{5};         // doubles, with jitter, up to this
    Duration longest_wait = std::chrono::seconds{1};          // for new events
    /// How long a command whose stream holds events of a type that this program does not list is
    /// left to the engine of a newer program, before its saga halts and a person is asked.
    Duration wait_for_newer = std::chrono::minutes{5};
};

/// How a kind of saga is added. The first time it is recorded from where it starts: behind the
/// newest event, or from the first one.
struct AddSaga {
    bool from_beginning = false;
};

/// What a catch_up() did.
struct SagaProgress {
    std::int64_t begun = 0;
    std::int64_t commands = 0;     // answered
    std::int64_t completed = 0;    // their end was recorded
    std::int64_t compensated = 0;  // likewise
    std::int64_t attention = 0;    // now wait for a person
    std::int64_t open = 0;         // are left, waiting for a time that has not come
};

/// One saga in a list.
struct SagaListing {
    std::string name, id;
    std::string phase;      // as in SagaStatus; "needs_attention": it waits for a person only
    std::string attention;  // why a person is asked; empty: nobody is
};

/// Carries sagas out: finds the events that start them in the store's log, records plan and every
/// move in the saga's own stream of the same store, sends commands under recorded ids, and undoes
/// in the reverse of the order of dependency. It keeps nothing of its own: killed anywhere and
/// started again, it goes on to the same end. See saga/README.md for promises and their conditions.
///
///     recount::SagaEngine sagas{*store};
///     sagas.add<Checkout>();
///     sagas.deliver<ReserveStock>(stock, [](const ReserveStock& command) { return command.sku();
///     }); std::jthread coordinating{[&](std::stop_token stop) { sagas.run(stop); }};
///
/// One thread calls catch_up() or run(); status(), list() and resume() may be called from any.
/// Store and repositories outlive it. Several engines on one store are safe, and waste work.
class SagaEngine {
public:
    struct Ended {
        bool asked = false;  // by the stop token; else an error that does not pass
        std::string reason;  // for people
    };

    explicit SagaEngine(EventStore& store, SagaEngineOptions options = {});
    ~SagaEngine();
    SagaEngine(const SagaEngine&) = delete;
    SagaEngine& operator=(const SagaEngine&) = delete;

    /// Adds a kind of saga and registers it in the store. Before the first catch_up() or run().
    /// Throws InvalidArgument for a name that is no name or is taken, and what the store throws.
    template <class S>
    void add(AddSaga options = {}) {
        add(saga::make_kind<S>(), options);
    }

    /// Says which state decides commands of a type, and of which id. The repository is of the
    /// engine's own store: a saga whose command meets another's waits for a person.
    template <class Command, class State, class IdOf>
    void deliver(Repository<State>& repository, IdOf id_of) {
        static_assert(
            std::is_invocable_r_v<std::string, const IdOf&, const Command&>,
            "deliver<Command>(repository, id_of): id_of takes the command and returns the "
            "id of its stream");
        deliver(type_name<Command>(),
                saga::make_route<Command, State, IdOf>(repository, std::move(id_of)));
    }

    /// Throws InvalidArgument that names every command without a route. catch_up() and run() look
    /// first, too.
    void check_routes() const;

    /// Works until nothing can be done now. Throws what the store throws; call it again then.
    SagaProgress catch_up();

    /// Works until asked to stop. Retries what may pass, with growing pauses. Never throws.
    Ended run(std::stop_token stop) noexcept;

    /// The saga as its stream tells it; nothing when there is none.
    std::optional<SagaStatus> status(std::string_view name, std::string_view id);
    /// Sagas that are open or wait for a person, as of the last round.
    std::vector<SagaListing> list() const;
    /// As resume_saga().
    std::optional<Rejection> resume(std::string_view name, std::string_view id,
                                    std::string_view by);

private:
    class Work;
    void add(saga::Kind kind, AddSaga options);
    void deliver(std::string type, saga::Route route);

    EventStore& store_;
    std::unique_ptr<Work> work_;
};

}  // namespace recount
