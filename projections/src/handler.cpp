#include "handler.hpp"

#include <new>

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>

#include "keyed_handler.hpp"

namespace recount::projections {

namespace {

constexpr std::size_t max_error_bytes = 500;

Poison poison(const RecordedEvent& event, std::string_view error) {
    if (error.empty()) error = "failed";
    return {event.at.position, recordable(error, max_error_bytes)};
}

class SqlHandler : public Handler {
public:
    explicit SqlHandler(const ViewDefinition& definition) : Handler(definition) {}

    void apply(Sql& sql, EventBatch& batch, const std::vector<std::size_t>& chosen) override {
        for (const std::size_t number : chosen) {
            const RecordedEvent& event = batch.events()[number];
            guarded(event, [&] {
                if (event.erased()) {
                    definition().erased->on(
                        Erased{event.at.position, event.at.version, event.at.type}, event.at, sql);
                } else {
                    const EventHook* known = hook(event);
                    known->on(batch.decoded(number, *known), event.at, sql);
                }
            });
        }
    }
};

}  // namespace

void throw_poison(const RecordedEvent& event) {
    try {
        throw;
    } catch (const Poison&) {
        throw;
    } catch (const Error& error) {
        if (error.retryable()) throw;
        throw poison(event, error.what());
    } catch (const std::bad_alloc&) {
        throw;  // the machine's trouble, not the event's
    } catch (const std::exception& error) {
        throw poison(event, error.what());
    } catch (...) {
        throw poison(event, "the view threw something that is no std::exception");
    }
}

Handler::Handler(const ViewDefinition& definition) : definition_(definition) {
    for (const EventHook& hook : definition.events) by_type_.emplace(hook.type, &hook);
}

const EventHook* Handler::hook(const RecordedEvent& event) const {
    const auto found = by_type_.find(event.at.type);
    return found == by_type_.end() ? nullptr : found->second;
}

std::unique_ptr<Handler> Handler::make(const ViewDefinition& definition) {
    if (definition.keyed()) return std::make_unique<KeyedHandler>(definition);
    return std::make_unique<SqlHandler>(definition);
}

}  // namespace recount::projections
