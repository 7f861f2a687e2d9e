#include <recount/core/error.hpp>
#include <recount/core/stream.hpp>
#include <recount/core/utf8.hpp>

#include "reader.hpp"

/// Which rows and columns of a generation are read, and what feeds them.
namespace recount {

using projections::Snapshot;

std::optional<ViewReader::Impl::Source> ViewReader::Impl::source_of(std::string_view key) const {
    if (!valid_utf8(key) || key.find('\0') != std::string_view::npos) return std::nullopt;
    if (!view_.category || !view_.keyed_by_stream) return Source{};
    try {
        const StreamName stream{*view_.category, key};
        return Source{partition_of(stream, log_.identity().partitions), stream.full()};
    } catch (const InvalidArgument&) {
        return std::nullopt;
    }
}

/// Another version may make its rows of more than one stream each.
ViewReader::Impl::Source ViewReader::Impl::source_in(const Source& source,
                                                     const Snapshot& snapshot) const {
    const bool ours = snapshot.head.generation == 0 || snapshot.head.version == view_.version;
    return ours ? source : Source{};
}

std::vector<std::string> ViewReader::Impl::columns_in(const projections::GenerationHead& head,
                                                      std::vector<bool>& present) const {
    present = columns_->known_in(head.columns);
    const std::vector<std::string>& all = columns_->names();
    std::vector<std::string> names{all[0], all[1]};
    for (std::size_t index = 0; index < present.size(); ++index) {
        if (present[index]) names.push_back(all[index + 2]);
    }
    return names;
}

std::unique_ptr<google::protobuf::Message> ViewReader::Impl::row_of(
    const std::vector<SqlValue>& values, const std::vector<bool>& present) const {
    std::unique_ptr<google::protobuf::Message> row{view_.row->New()};
    columns_->decode(values, 2, present, *row);
    return row;
}

}  // namespace recount
