// Loaded with LD_PRELOAD: every fsync and fdatasync takes RECOUNT_FSYNC_US microseconds longer, as
// on a disk that is not in the same machine. For PostgreSQL and SQLite alike.

#include <dlfcn.h>
#include <time.h>

#include <cstdlib>

namespace {

int call(const char* name, int file) {
    using Function = int (*)(int);
    const char* text = std::getenv("RECOUNT_FSYNC_US");
    const long us = text == nullptr ? 0 : std::atol(text);
    timespec time{us / 1'000'000, us % 1'000'000 * 1'000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) != 0) {
    }
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name))(file);
}

}  // namespace

extern "C" {
int fsync(int file) { return call("fsync", file); }
int fdatasync(int file) { return call("fdatasync", file); }
}
