#include "log_printing.hpp"

#include <ostream>

#include "event_json.hpp"
#include "interrupt.hpp"

namespace recount::tools {

namespace {

/// Prints what is there behind `place`, partition by partition, and moves it on.
class Printer {
public:
    Printer(Context& context, EventStore& store, const LogRange& range)
        : context_(context), store_(store), range_(range), events_(store) {}

    /// Also when what is printed goes nowhere, which main() says.
    bool done() const { return printed_ >= range_.limit || Interrupt::happened() || !context_.out; }

    [[nodiscard]] std::size_t printed() const { return printed_; }

    void print_behind(Positions& place) {
        for (std::int32_t p = 0; p < store_.identity().partitions && !done(); ++p) {
            if (range_.partition >= 0 && p != range_.partition) continue;
            print_partition(Partition{p}, place);
        }
        context_.out.flush();
    }

private:
    void print_partition(Partition partition, Positions& place) {
        ReadLog options{.max_events = 500};
        if (!range_.category.empty()) options.filter.categories = {range_.category};
        if (!range_.type.empty()) options.filter.types = {range_.type};
        for (bool end = false; !end && !done();) {
            const LogPage page = store_.read(partition, place[partition], options);
            for (const RecordedEvent& event : page.events) {
                if (done()) return;
                print(event);
            }
            place.set({partition, page.upto});
            end = page.end;
        }
    }

    void print(const RecordedEvent& event) {
        context_.out << (context_.json ? one_line(events_.json(event)) : events_.line(event))
                     << '\n';
        ++printed_;
    }

    Context& context_;
    EventStore& store_;
    const LogRange& range_;
    EventPrinter events_;
    std::size_t printed_ = 0;
};

/// Where nothing is waited for: no partition comes so far.
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

Positions newest(EventStore& store, const LogRange& range) {
    const auto heads = store.heads();
    Positions place(heads.size());
    for (std::size_t index = 0; index < heads.size(); ++index) {
        const Partition partition{static_cast<std::int32_t>(index)};
        const bool skipped = range.partition >= 0 && partition.value != range.partition;
        place.set({partition, skipped ? never : heads[index].n});
    }
    return place;
}

}  // namespace

std::size_t show_log(Context& context, EventStore& store, const LogRange& range) {
    Positions place(static_cast<std::size_t>(store.identity().partitions));
    if (range.partition >= 0) place.set({Partition{range.partition}, range.after});
    Printer printer{context, store, range};
    printer.print_behind(place);
    return printer.printed();
}

void tail_log(Context& context, EventStore& store, const LogRange& range) {
    Positions place = newest(store, range);
    const Interrupt interrupt;
    for (Printer printer{context, store, range}; !printer.done();) {
        printer.print_behind(place);
        if (!printer.done()) store.wait(place, std::chrono::milliseconds{500});
    }
}

}  // namespace recount::tools
