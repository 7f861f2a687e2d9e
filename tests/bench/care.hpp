#pragma once

#include <cstdint>

namespace recount::bench {

/// What a hand-made client does besides writing rows of the right sizes.
enum class Care : std::uint8_t {
    none,  // nothing: what the rows alone cost
    same,  // what a store does for a reader of its rows: makes id, digest, envelope, hash, outcome
};

}  // namespace recount::bench
