#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

namespace recount::test {

/// A disk of a few megabytes, in memory, mounted where nobody sees it but who is let in: it goes
/// with the processes that use it, however a test ends. Needs root.
class SmallDisk {
public:
    /// False where mounting is not allowed, as to other users and in some containers.
    static bool possible();

    /// Mounted on an empty folder.
    SmallDisk(std::string folder, int megabytes, uid_t owner, gid_t group);
    ~SmallDisk();
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    /// To be put before a command, which then sees the disk.
    [[nodiscard]] std::string let_in() const;
    /// Where a path that leads to the disk is for this process.
    [[nodiscard]] std::string seen_from_here(const std::string& path) const;
    /// Nothing more can be written, until there is room again.
    void fill() const;
    void make_room() const;

private:
    std::string folder_;
    pid_t keeper_ = 0;
};

}  // namespace recount::test
