#pragma once

#include <recount/core/hash.hpp>

namespace recount {

/// This thread's own hasher, between two uses as new. For the free functions, which hash each
/// event.
Sha256& thread_hasher();

}  // namespace recount
