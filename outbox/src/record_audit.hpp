#pragma once

#include <optional>
#include <string>

#include "kafka/reader.hpp"
#include "record.hpp"

namespace recount {

/// What of a record is not as it should be.
struct RecordDifference {
    std::string field;  // "hash", "envelope", "stream key", "payload", "time" or "header <name>"
    std::string what;   // never the payload's bytes
};

/// A record beside the store's event of its position.
struct RecordAudit {
    std::optional<RecordDifference> difference;
    bool unforgotten = false;  // the payload was erased in the store since
};

/// Compares a record with what `encoder` makes of the event. A payload that was erased in the store
/// later is compared by its digest.
RecordAudit audit_record(const kafka::Record& record, const RecordedEvent& event,
                         RecordEncoder& encoder);

}  // namespace recount
