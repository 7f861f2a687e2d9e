#include "eventstore/postgres/small_disk.hpp"

#include "support/eventually.hpp"

#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace recount::test {

bool SmallDisk::possible() {
    return ::geteuid() == 0 && std::system("unshare -m mount -t tmpfs none /mnt 2>/dev/null") == 0;
}

SmallDisk::SmallDisk(std::string folder, int megabytes, uid_t owner, gid_t group)
    : folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    // It ends by itself, should nobody end it.
    const std::string mounted =
        fmt::format("mount -t tmpfs -o size={}m,mode=0700,uid={},gid={} none {} && exec sleep 600",
                    megabytes, owner, group, folder_);
    keeper_ = ::fork();
    if (keeper_ == 0) {
        ::execlp("unshare", "unshare", "-m", "sh", "-c", mounted.c_str(), nullptr);
        ::_exit(127);
    }
    const auto is_mounted = [&] {
        return std::system((let_in() + "mountpoint -q " + folder_ + " 2>/dev/null").c_str()) == 0;
    };
    if (!eventually(is_mounted)) throw std::runtime_error("no disk could be mounted on " + folder_);
}

SmallDisk::~SmallDisk() {
    ::kill(keeper_, SIGKILL);
    ::waitpid(keeper_, nullptr, 0);
}

std::string SmallDisk::let_in() const { return fmt::format("nsenter -t {} -m -- ", keeper_); }

std::string SmallDisk::seen_from_here(const std::string& path) const {
    return fmt::format("/proc/{}/root{}", keeper_, path);
}

void SmallDisk::fill() const {
    const std::string file = folder_ + "/fill";
    static_cast<void>(
        std::system((let_in() + "dd if=/dev/zero of=" + file + " bs=64k 2>/dev/null").c_str()));
}

void SmallDisk::make_room() const {
    static_cast<void>(std::system((let_in() + "rm -f " + folder_ + "/fill").c_str()));
}

}  // namespace recount::test
