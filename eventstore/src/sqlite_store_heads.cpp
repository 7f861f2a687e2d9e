#include <recount/core/error.hpp>

#include "last_event.hpp"
#include "sqlite_store_writer.hpp"

namespace recount {

LogHead SqliteWriter::read_head(Partition partition) {
    const sqlite::Running running{*head_};
    head_->bind(1, std::int64_t{partition.value});
    if (!head_->step()) {
        throw Divergence(context_.identity.name + " has no row for partition " +
                         std::to_string(partition.value) + "; restore a backup");
    }
    return {head_->integer(0), Hash::from(head_->bytes(1)),
            Timestamp{std::chrono::microseconds{head_->integer(2)}}};
}

void SqliteWriter::require_last_event(Partition partition, const LogHead& head) {
    const auto last = connection_.prepare(
        "select position, hash from event where partition = ? order by position desc limit 1");
    last->bind(1, std::int64_t{partition.value});
    const std::int64_t n = last->step() ? last->integer(0) : 0;
    if (n != head.n || (n > 0 && last->bytes(1) != head.hash.view())) {
        head_is_not_that_of(n, {partition, head.n}, context_.identity.name);
    }
}

}  // namespace recount
