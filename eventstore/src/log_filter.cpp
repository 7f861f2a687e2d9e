#include "log_filter.hpp"

#include <recount/core/error.hpp>

#include <algorithm>

#include "store_base.hpp"

namespace recount {
namespace {

constexpr std::size_t most_scanned_at_once = 1000;

// How protobuf begins field 4, `type`, of recount.v1.Envelope. Field 1, `stream`, comes first, so
// its name begins behind a byte of the same kind and a length of one byte or two.
constexpr char type_tag = 4 << 3 | 2;
constexpr std::size_t shortest_name_offset = 2;
constexpr std::size_t longest_name_offset = 3;

std::string field(char tag, std::string_view value) {
    std::string bytes{tag};
    std::size_t length = value.size();
    for (; length >= 0x80; length >>= 7) bytes.push_back(static_cast<char>(length | 0x80));
    bytes.push_back(static_cast<char>(length));
    return bytes.append(value);
}

bool any_of(const std::vector<std::string>& wanted, std::string_view value) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

}  // namespace

bool LogFilter::takes(const Envelope& event) const {
    return any_of(categories, event.stream.category()) && any_of(types, event.type);
}

void check_filter(const LogFilter& filter) {
    for (const std::string& category : filter.categories) {
        if (!category.empty() && category.find('-') == std::string::npos) continue;
        throw InvalidArgument("'" + category +
                              "' is no category: that is what precedes the first '-' of a stream's "
                              "name; give only that");
    }
    for (const std::string& type : filter.types) {
        if (!type.empty()) continue;
        throw InvalidArgument("no event has an empty type; give a protobuf message's full name");
    }
}

EnvelopeBytes::EnvelopeBytes(const LogFilter& filter) {
    check_filter(filter);
    for (const std::string& category : filter.categories) names_.push_back(category + '-');
    for (const std::string& type : filter.types) types_.push_back(field(type_tag, type));
}

bool EnvelopeBytes::may_be_in(std::string_view envelope) const {
    const auto begins = [&](const std::string& name) {
        return envelope.substr(std::min(shortest_name_offset, envelope.size())).starts_with(name) ||
               envelope.substr(std::min(longest_name_offset, envelope.size())).starts_with(name);
    };
    const auto holds = [&](const std::string& type) {
        return envelope.find(type) != std::string_view::npos;
    };
    return (names_.empty() || std::any_of(names_.begin(), names_.end(), begins)) &&
           (types_.empty() || std::any_of(types_.begin(), types_.end(), holds));
}

LogPage filter_pages(std::int64_t after, const ReadLog& options,
                     const std::function<LogPage(std::int64_t after, const ReadLog&)>& read) {
    check_filter(options.filter);
    LogPage page;
    page.upto = std::max<std::int64_t>(after, 0);
    PageLimit limit{options.max_events, options.max_bytes};
    std::size_t left = positions_scanned(options);
    while (left > 0 && !page.end && !limit.reached()) {
        // No more than fits, whatever is taken: what was read too far would be read again.
        const std::size_t events = std::min({left, limit.events_left(), most_scanned_at_once});
        LogPage next = read(page.upto, {.max_events = events,
                                        .max_bytes = std::max<std::size_t>(limit.bytes_left(), 1)});
        for (RecordedEvent& event : next.events) {
            const std::int64_t n = event.at.position.n;
            if (options.filter.takes(event.at)) {
                if (!limit.take(event)) return page;
                page.events.push_back(std::move(event));
            }
            page.upto = n;
            page.place.reset();  // known of the last one only
        }
        page.place = next.place;
        left -= std::min(left, next.events.size());
        page.end = next.end;
        if (next.events.empty()) break;
    }
    return page;
}

}  // namespace recount
