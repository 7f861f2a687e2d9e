#pragma once

namespace recount::bench {

class Harness;

/// W7: folding a stream, beside a binary select of the same rows by libpq and parsing them.
void stream_loads(Harness& harness);

}  // namespace recount::bench
