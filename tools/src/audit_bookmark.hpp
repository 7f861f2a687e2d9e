#pragma once

#include <string>
#include <vector>

#include <recount/outbox/audit.hpp>

namespace recount::tools {

/// How far an audit came, in a file, so that the next one goes on there. One process.
class AuditBookmark {
public:
    /// `subject` is what was audited, on one line; `topic` the one that is read by now.
    AuditBookmark(std::string path, std::string subject, std::string topic);

    /// Nothing when there is no file yet, or its places are of another topic, as before a declared
    /// restore. Throws InvalidArgument when it is another audit's, or damaged.
    [[nodiscard]] std::vector<AuditPlace> read() const;
    /// The file holds the old places or the new ones, whatever happens. Throws Error.
    void keep(const std::vector<AuditPlace>& places) const;

private:
    std::string path_;
    std::string subject_, topic_;
};

}  // namespace recount::tools
