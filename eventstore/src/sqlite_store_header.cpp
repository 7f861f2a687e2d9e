#include "sqlite_store_header.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
    static std::map<std::pair<dev_t, ino_t>, Shared> open;
    return open;
}

}  // namespace

std::optional<StoreFileHeader> StoreFileHeader::of(const std::string& path) {
    const std::lock_guard lock{mutex};
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) return {};
    Shared& shared = files()[{found.st_dev, found.st_ino}];
    if (shared.users == 0) shared.file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (shared.file < 0) {
        files().erase({found.st_dev, found.st_ino});
        return {};
    }
    ++shared.users;
    return StoreFileHeader{found.st_dev, found.st_ino, shared.file};
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
    : device_(from.device_), inode_(from.inode_), file_(std::exchange(from.file_, -1)) {}

StoreFileHeader& StoreFileHeader::operator=(StoreFileHeader&& from) noexcept {
    std::swap(device_, from.device_);
    std::swap(inode_, from.inode_);
    std::swap(file_, from.file_);
    return *this;
}

std::string StoreFileHeader::read(std::size_t bytes) const {
    std::string header(bytes, '\0');
    const ssize_t size = pread(file_, header.data(), bytes, 0);
    header.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return header;
}

}  // namespace recount
