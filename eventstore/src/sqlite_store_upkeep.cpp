#include "sqlite_store_writer.hpp"

namespace recount {

std::int64_t SqliteWriter::erase(const StreamName& stream, Version first, Version last) {
    // Else the bytes would stay in the file until their pages are used again.
    connection_.exec("pragma secure_delete = on");
    const auto update = connection_.prepare(
        "update event set salt = null, payload = null where stream = (select id from stream "
        "where name = ?) and version between ? and ? and payload is not null");
    return in_transaction([&] {
        update->bind_text(1, stream.full());
        update->bind(2, first.value);
        update->bind(3, last.value);
        update->run();
        return connection_.last_changes();
    });
}

Timestamp SqliteWriter::raise_horizon(Timestamp horizon) {
    const auto update = connection_.prepare("update store set horizon = max(horizon, ?)");
    horizon_ = in_transaction([&] {
        update->bind(1, horizon.time_since_epoch().count());
        update->run();
        return read_horizon();
    });
    return horizon_;
}

void SqliteWriter::forget_outcomes(const std::vector<std::string_view>& command_ids) {
    const auto remove = connection_.prepare("delete from outcome where command_id = ?");
    in_transaction([&] {
        for (const std::string_view id : command_ids) {
            remove->bind_text(1, id);
            remove->run();
        }
        return true;
    });
}

}  // namespace recount
