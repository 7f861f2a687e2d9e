#include "sqlite_store_header.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <recount/core/error.hpp>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace recount {
namespace {

struct Shared {
    int file = -1;
    int users = 0;
};

std::mutex mutex;

std::map<std::pair<dev_t, ino_t>, Shared>& files() {
    // Never destroyed: a store that is a global variable is closed late.
    static auto& open = *new std::map<std::pair<dev_t, ino_t>, Shared>;
    return open;
}

[[noreturn]] void unavailable(const std::string& path) {
    throw Unavailable("sqlite:" + path + " cannot be looked at (" + std::strerror(errno) +
                      "); it was left untouched: see to its permissions and its disk");
}

/// By errno. A file that cannot be looked at is there, and nobody may put a new one in its place.
void require_missing(const std::string& path) {
    if (errno != ENOENT && errno != ENOTDIR) unavailable(path);
}

}  // namespace

std::optional<StoreFileHeader> StoreFileHeader::of(const std::string& path) {
    const std::lock_guard lock{mutex};
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) {
        require_missing(path);
        if (lstat(path.c_str(), &found) == 0) {
            throw Unavailable("sqlite:" + path + " is a link that leads nowhere; it was left " +
                              "untouched: mount the disk that it leads to, or remove it");
        }
        return {};
    }
    if (!S_ISREG(found.st_mode)) {
        throw Mismatch("sqlite:" + path + " is no regular file; it was left untouched: give " +
                       "another path");
    }
    if (found.st_nlink > 1) {
        throw Mismatch("sqlite:" + path + " has " + std::to_string(found.st_nlink) +
                       " names (hard links), beside each of which there would be another "
                       "write-ahead log and lock; it was left untouched: remove the others, or "
                       "give this one a copy of its own");
    }
    Shared& shared = files()[{found.st_dev, found.st_ino}];
    if (shared.users == 0) shared.file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (shared.file < 0) {
        const int error = errno;
        files().erase({found.st_dev, found.st_ino});
        errno = error;
        require_missing(path);
        return {};
    }
    ++shared.users;
    return StoreFileHeader{path, found.st_dev, found.st_ino, shared.file};
}

StoreFileHeader::~StoreFileHeader() {
    if (file_ < 0) return;
    const std::lock_guard lock{mutex};
    const auto shared = files().find({device_, inode_});
    if (--shared->second.users > 0) return;
    close(file_);
    files().erase(shared);
}

StoreFileHeader::StoreFileHeader(StoreFileHeader&& from) noexcept
    : path_(from.path_),
      device_(from.device_),
      inode_(from.inode_),
      file_(std::exchange(from.file_, -1)) {}

StoreFileHeader& StoreFileHeader::operator=(StoreFileHeader&& from) noexcept {
    std::swap(path_, from.path_);
    std::swap(device_, from.device_);
    std::swap(inode_, from.inode_);
    std::swap(file_, from.file_);
    return *this;
}

std::string StoreFileHeader::read(std::size_t bytes) const {
    std::string header(bytes, '\0');
    const ssize_t size = pread(file_, header.data(), bytes, 0);
    if (size < 0) unavailable(path_);
    header.resize(static_cast<std::size_t>(size));
    return header;
}

bool StoreFileHeader::is_still_there() const {
    struct stat found {};
    if (stat(path_.c_str(), &found) != 0) {
        require_missing(path_);
        return false;
    }
    return found.st_dev == device_ && found.st_ino == inode_;
}

}  // namespace recount
