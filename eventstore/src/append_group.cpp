#include "append_group.hpp"

#include <algorithm>

namespace recount {
namespace {

template <class T>
void sort_unique(std::vector<T>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

template <class T>
std::size_t index_in(const std::vector<T>& list, const T& value) {
    return static_cast<std::size_t>(std::lower_bound(list.begin(), list.end(), value) -
                                    list.begin());
}

}  // namespace

std::vector<const Append*> pointers_to(std::span<const Append> appends) {
    std::vector<const Append*> pointers;
    pointers.reserve(appends.size());
    for (const Append& append : appends) pointers.push_back(&append);
    return pointers;
}

std::size_t Touched::index_of(Partition partition) const { return index_in(partitions, partition); }

std::size_t Touched::index_of_command(std::string_view command_id) const {
    return index_in(command_ids, command_id);
}

std::size_t Touched::index_of_stream(std::string_view stream) const {
    return index_in(streams, stream);
}

std::size_t Touched::index_of_type(std::string_view type) const { return index_in(types, type); }

Touched touched_by(AppendGroup group, std::int32_t partitions) {
    Touched touched;
    const auto add_stream = [&touched, partitions](const StreamName& stream) {
        touched.streams.push_back(stream.full());
        touched.partitions.push_back(partition_of(stream, partitions));
    };
    const auto add_type = [&types = touched.types](std::string_view type) {
        if (types.empty() || types.back() != type) types.push_back(type);  // most are as the last
    };
    for (const Append* append : group) {
        touched.command_ids.push_back(append->metadata.command_id);
        for (const StreamWrite& write : append->writes) {
            add_stream(write.stream);
            for (const NewEvent& event : write.events) add_type(event.type);
        }
        for (const StreamCheck& check : append->checks) add_stream(check.stream);
    }
    sort_unique(touched.partitions);
    sort_unique(touched.command_ids);
    sort_unique(touched.streams);
    sort_unique(touched.types);
    return touched;
}

}  // namespace recount
