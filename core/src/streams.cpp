#include <recount/core/streams.hpp>

namespace recount {

void Streams::visit_stream(const StreamName& stream, Version from, std::size_t page,
                           const TakeEvent& take) {
    for (;;) {
        const StreamPage read = read_stream(stream, {.from = from, .max_events = page});
        for (const RecordedEvent& event : read.events) {
            if (!take(event)) return;
        }
        if (read.end || read.events.empty()) return;
        from = Version{read.events.back().at.version.value + 1};
    }
}

}  // namespace recount
