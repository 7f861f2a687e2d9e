#pragma once

namespace recount::bench {

class Harness;

/// W7: folding a stream, beside a binary select of the same rows by libpq and parsing them.
void stream_loads(Harness& harness);

/// W8: a snapshot and the twenty events behind it, beside one round trip that brings both.
void snapshot_loads(Harness& harness);

}  // namespace recount::bench
