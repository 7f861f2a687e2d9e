#pragma once

#include <recount/core/ids.hpp>
#include <recount/eventstore.hpp>

#include <string>
#include <vector>

namespace recount::test {

inline StreamWrite events_for(const std::string& stream, Expected expected = Expected::any(),
                              int count = 1) {
    StreamWrite write{StreamName::parse(stream), expected, {}};
    for (int i = 0; i < count; ++i) {
        write.events.push_back({"test.Happened", stream + "/" + std::to_string(i)});
    }
    return write;
}

/// An append under an id of its own.
inline Append append_of(std::vector<StreamWrite> writes) {
    Append append;
    append.metadata.command_id = to_string(new_uuid7());
    append.writes = std::move(writes);
    append.request = request_hash(append);
    return append;
}

inline Append append_to(const std::string& stream, Expected expected = Expected::any(),
                        int count = 1) {
    return append_of({events_for(stream, expected, count)});
}

inline std::int64_t version_of(EventStore& store, const std::string& stream) {
    return store.read_stream(StreamName::parse(stream)).head.value;
}

/// A stream that lives in a partition, begins with a prefix and is not `but`.
inline std::string stream_in(Partition partition, std::int32_t partitions = 16,
                             std::string_view but = {}, const std::string& prefix = "cart-") {
    for (int i = 0;; ++i) {
        std::string stream = prefix + std::to_string(i);
        if (partition_of(stream, partitions) == partition && stream != but) return stream;
    }
}

}  // namespace recount::test
