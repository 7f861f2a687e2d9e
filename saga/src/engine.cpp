#include <recount/saga/engine.hpp>

#include <algorithm>
#include <utility>

#include <recount/core/error.hpp>

#include "reason.hpp"
#include "work.hpp"

namespace recount {

SagaEngine::SagaEngine(EventStore& store, SagaEngineOptions options)
    : store_(store), work_(std::make_unique<Work>(store, options)) {}

SagaEngine::~SagaEngine() = default;

void SagaEngine::add(saga::Kind kind, AddSaga options) {
    work_->add(std::move(kind), options.from_beginning);
}

void SagaEngine::deliver(std::string type, saga::Route route) {
    work_->deliver(std::move(type), std::move(route));
}

void SagaEngine::check_routes() const { work_->check_routes(); }

SagaProgress SagaEngine::catch_up() {
    check_routes();
    while (work_->round({})) {
    }
    return work_->take_progress();
}

SagaEngine::Ended SagaEngine::run(std::stop_token stop) noexcept {
    Duration pause{0};
    const SagaEngineOptions limits = work_->options();
    while (!stop.stop_requested()) {
        try {
            check_routes();
            if (!work_->round(stop)) work_->wait(stop);
            pause = Duration{0};
        } catch (const Error& error) {
            if (!error.retryable()) return {false, error.what()};
            Environment& environment = store_.environment();
            pause = std::clamp(pause * 2, limits.shortest_pause, limits.longest_pause);
            const double part = 0.5 + environment.random.uniform() / 2;
            environment.scheduler.sleep(
                Duration{static_cast<std::int64_t>(static_cast<double>(pause.count()) * part)},
                stop);
        } catch (...) {
            return {false, saga::thrown()};
        }
    }
    return {true, "asked to stop"};
}

std::optional<SagaStatus> SagaEngine::status(std::string_view name, std::string_view id) {
    return saga_status(store_, name, id);
}

std::vector<SagaListing> SagaEngine::list() const { return work_->list(); }

std::optional<Rejection> SagaEngine::resume(std::string_view name, std::string_view id,
                                            std::string_view by) {
    return resume_saga(store_, name, id, by);
}

}  // namespace recount
