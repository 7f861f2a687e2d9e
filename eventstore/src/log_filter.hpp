#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <recount/eventstore/log.hpp>

namespace recount {

/// Throws InvalidArgument for what is no category or no type.
void check_filter(const LogFilter& filter);

/// What a filter looks for in the bytes of an envelope, so that those that are left out need not be
/// decoded. Other envelopes may hold the same by chance: LogFilter::takes decides.
class EnvelopeBytes {
public:
    explicit EnvelopeBytes(const LogFilter& filter);

    /// False: the filter does not take it.
    [[nodiscard]] bool may_be_in(std::string_view envelope) const;

    /// How a stream's name begins; it stands behind the envelope's first two or three bytes.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    /// The whole field of a type, anywhere.
    [[nodiscard]] const std::vector<std::string>& types() const { return types_; }

private:
    std::vector<std::string> names_;
    std::vector<std::string> types_;
};

}  // namespace recount
