#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eventstore/sqlite_faults/disk_image.hpp"

namespace recount::test {

/// The disk as SQLite sees it in a program that made this its default file system (sqlite3_vfs):
/// its n-th operation fails, or the power goes off before it. Real files stand behind it. One for
/// the program, one thread at a time.
class FaultyDisk {
public:
    enum class Operation : std::uint8_t {
        open,
        read,
        write,
        truncate,
        sync,
        size,
        remove,
        look,  // whether there is a file
        lock,
        share,  // the memory in which connections to a file meet
    };

    /// What fails, and how.
    struct Fault {
        bool full = false;          // the disk is full: writes fail, nothing else
        bool for_good = false;      // everything from the n-th operation on, until heal()
        bool after_effect = false;  // what changes the disk is done, and yet said to have failed
    };

    /// Puts itself in place of SQLite's own file system, once.
    static FaultyDisk& installed();

    /// The n-th operation from now on, from 1.
    void fail_at(int n, const Fault& fault);
    /// From the n-th operation on that changes the disk nothing happens any more, and every
    /// operation fails.
    void power_off_at(int n);
    void heal();
    /// Whether what was armed has struck.
    [[nodiscard]] bool struck() const { return struck_; }

    /// From now on it is known of every file what is certain to be on the disk.
    void follow_files();
    DiskImage stop_following();

    // For the file system alone.
    enum class Verdict : std::uint8_t { good, fails, fails_after, full };
    Verdict before(Operation operation);
    [[nodiscard]] DiskImage* following() { return image_ && !off_ ? &*image_ : nullptr; }

private:
    Fault fault_;
    int left_ = 0;  // operations until the fault; 0: none is armed
    bool power_ = false, off_ = false, failing_ = false, struck_ = false;
    std::optional<DiskImage> image_;
};

}  // namespace recount::test
