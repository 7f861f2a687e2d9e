#pragma once

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace recount {

/// The descriptor by which a store's file is looked at without SQLite. When any descriptor of a
/// file is closed, the system takes away all locks that the process has on that file, SQLite's, too
/// (sqlite.org/howtocorrupt.html §2.2), and a stranger who closes the file then may remove its
/// write-ahead log under us. So all who look at one file share one, and it is closed by the last of
/// them: whoever has connections to the file keeps this until they are closed. Thread-safe.
class StoreFileHeader {
public:
    /// Of the file that is there now, if any. Throws Unavailable when there may be one that cannot
    /// be looked at.
    static std::optional<StoreFileHeader> of(const std::string& path);
    ~StoreFileHeader();
    StoreFileHeader(StoreFileHeader&& from) noexcept;
    StoreFileHeader& operator=(StoreFileHeader&& from) noexcept;

    /// The first bytes, at most so many. Throws Unavailable.
    [[nodiscard]] std::string read(std::size_t bytes) const;
    /// False when another file, or none, has its path now. Throws Unavailable when that cannot be
    /// told.
    [[nodiscard]] bool is_still_there() const;

private:
    StoreFileHeader(std::string path, dev_t device, ino_t inode, int file)
        : path_(std::move(path)), device_(device), inode_(inode), file_(file) {}

    std::string path_;
    dev_t device_;
    ino_t inode_;
    int file_;  // -1: moved from
};

}  // namespace recount
