#include <recount/core/streams.hpp>

#include <optional>

namespace recount {

std::int64_t Streams::visit_stream(const StreamName& stream, Version from, std::size_t page,
                                   const TakeEvent& take) {
    std::optional<std::int64_t> erasures;
    for (;;) {
        const StreamPage read = read_stream(stream, {.from = from, .max_events = page});
        if (!erasures) erasures = read.erasures;
        for (const RecordedEvent& event : read.events) {
            if (!take(event)) return *erasures;
        }
        if (read.end || read.events.empty()) return *erasures;
        from = Version{read.events.back().at.version.value + 1};
    }
}

}  // namespace recount
