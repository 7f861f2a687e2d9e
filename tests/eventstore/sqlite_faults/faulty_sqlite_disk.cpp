#include "eventstore/sqlite_faults/faulty_sqlite_disk.hpp"

#include <sqlite3.h>

#include <new>
#include <utility>

namespace recount::test {
namespace {

using Operation = FaultyDisk::Operation;
using Verdict = FaultyDisk::Verdict;

FaultyDisk disk;
sqlite3_vfs* real = nullptr;

/// An open file; SQLite allocates it, with room for the real one behind it.
struct File {
    sqlite3_file base;
    bool followed;
    std::string path;

    [[nodiscard]] sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

/// Does it, unless a fault comes before; says so, unless a fault comes behind.
template <class Do>
int faulty(Operation operation, int error, const Do& run) {
    switch (disk.before(operation)) {
        case Verdict::good:
            return run();
        case Verdict::full:
            return SQLITE_FULL;
        case Verdict::fails_after: {
            const int code = run();
            return code == SQLITE_OK ? error : code;
        }
        default:
            return error;
    }
}

/// The same, for what the disk's image has to know of.
template <class Do, class Note>
int faulty(Operation operation, int error, File& file, const Do& run, const Note& note) {
    return faulty(operation, error, [&] {
        const int code = run(file.below());
        if (code == SQLITE_OK && file.followed && disk.following() != nullptr) {
            note(*disk.following());
        }
        return code;
    });
}

int close_file(sqlite3_file* handle) {
    File& file = file_of(handle);
    const int code = file.below()->pMethods->xClose(file.below());
    file.path.~basic_string();
    return code;
}

int read_file(sqlite3_file* handle, void* into, int size, sqlite3_int64 offset) {
    return faulty(Operation::read, SQLITE_IOERR_READ, [&] {
        sqlite3_file* below = file_of(handle).below();
        return below->pMethods->xRead(below, into, size, offset);
    });
}

int write_file(sqlite3_file* handle, const void* from, int size, sqlite3_int64 offset) {
    File& file = file_of(handle);
    const std::string_view bytes{static_cast<const char*>(from), static_cast<std::size_t>(size)};
    return faulty(
        Operation::write, SQLITE_IOERR_WRITE, file,
        [&](sqlite3_file* below) { return below->pMethods->xWrite(below, from, size, offset); },
        [&](DiskImage& image) { image.write(file.path, offset, bytes); });
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    File& file = file_of(handle);
    return faulty(
        Operation::truncate, SQLITE_IOERR_TRUNCATE, file,
        [&](sqlite3_file* below) { return below->pMethods->xTruncate(below, size); },
        [&](DiskImage& image) { image.truncate(file.path, size); });
}

/// Nobody cuts the real power, so the real disk need not be waited for.
int sync_file(sqlite3_file* handle, int) {
    File& file = file_of(handle);
    return faulty(
        Operation::sync, SQLITE_IOERR_FSYNC, file, [](sqlite3_file*) { return SQLITE_OK; },
        [&](DiskImage& image) { image.sync(file.path); });
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* size) {
    return faulty(Operation::size, SQLITE_IOERR_FSTAT, [&] {
        sqlite3_file* below = file_of(handle).below();
        return below->pMethods->xFileSize(below, size);
    });
}

int lock_file(sqlite3_file* handle, int level) {
    return faulty(Operation::lock, SQLITE_IOERR_LOCK, [&] {
        sqlite3_file* below = file_of(handle).below();
        return below->pMethods->xLock(below, level);
    });
}

int unlock_file(sqlite3_file* handle, int level) {
    sqlite3_file* below = file_of(handle).below();
    return below->pMethods->xUnlock(below, level);
}

int is_reserved(sqlite3_file* handle, int* is) {
    sqlite3_file* below = file_of(handle).below();
    return below->pMethods->xCheckReservedLock(below, is);
}

int control(sqlite3_file* handle, int what, void* argument) {
    sqlite3_file* below = file_of(handle).below();
    return below->pMethods->xFileControl(below, what, argument);
}

int sector_size(sqlite3_file*) { return static_cast<int>(DiskImage::sector); }

int characteristics(sqlite3_file* handle) {
    sqlite3_file* below = file_of(handle).below();
    return below->pMethods->xDeviceCharacteristics(below);
}

int map_shared(sqlite3_file* handle, int page, int size, int extend, volatile void** at) {
    return faulty(Operation::share, SQLITE_IOERR_SHMMAP, [&] {
        sqlite3_file* below = file_of(handle).below();
        return below->pMethods->xShmMap(below, page, size, extend, at);
    });
}

int lock_shared(sqlite3_file* handle, int offset, int count, int flags) {
    sqlite3_file* below = file_of(handle).below();
    const auto run = [&] { return below->pMethods->xShmLock(below, offset, count, flags); };
    // A lock that is given back is given back.
    return (flags & SQLITE_SHM_UNLOCK) != 0 ? run()
                                            : faulty(Operation::lock, SQLITE_IOERR_SHMLOCK, run);
}

void barrier(sqlite3_file* handle) {
    sqlite3_file* below = file_of(handle).below();
    below->pMethods->xShmBarrier(below);
}

int unmap_shared(sqlite3_file* handle, int remove) {
    sqlite3_file* below = file_of(handle).below();
    return below->pMethods->xShmUnmap(below, remove);
}

const sqlite3_io_methods methods{
    2,         close_file,   read_file,       write_file,  truncate_file,
    sync_file, size_of_file, lock_file,       unlock_file, is_reserved,
    control,   sector_size,  characteristics, map_shared,  lock_shared,
    barrier,   unmap_shared, nullptr,         nullptr,
};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* opened) {
    handle->pMethods = nullptr;
    auto* file = new (handle) File{{nullptr}, name != nullptr, name == nullptr ? "" : name};
    const auto run = [&] {
        if (file->followed && disk.following() != nullptr) disk.following()->follow(file->path);
        return real->xOpen(real, name, file->below(), flags, opened);
    };
    // Of what was opened and is said not to have been, nobody would close the handle.
    const Verdict verdict = disk.before(Operation::open);
    const int code = verdict == Verdict::good ? run() : SQLITE_CANTOPEN;
    if (code == SQLITE_OK) {
        handle->pMethods = &methods;
    } else {
        file->path.~basic_string();
    }
    return code;
}

int remove_file(sqlite3_vfs*, const char* name, int sync_folder) {
    return faulty(Operation::remove, SQLITE_IOERR_DELETE, [&] {
        const int code = real->xDelete(real, name, 0);
        if (code == SQLITE_OK && disk.following() != nullptr) {
            disk.following()->remove(name, sync_folder != 0);
        }
        return code;
    });
}

int look_for_file(sqlite3_vfs*, const char* name, int flags, int* result) {
    return faulty(Operation::look, SQLITE_IOERR_ACCESS,
                  [&] { return real->xAccess(real, name, flags, result); });
}

bool changes_the_disk(Operation operation) {
    return operation == Operation::write || operation == Operation::truncate ||
           operation == Operation::sync || operation == Operation::remove;
}

}  // namespace

FaultyDisk& FaultyDisk::installed() {
    if (real != nullptr) return disk;
    real = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs ours = *real;
    ours.zName = "faulty";
    ours.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
    ours.pNext = nullptr;
    ours.xOpen = open_file;
    ours.xDelete = remove_file;
    ours.xAccess = look_for_file;
    sqlite3_vfs_register(&ours, 1);
    return disk;
}

void FaultyDisk::fail_at(int n, const Fault& fault) {
    heal();
    fault_ = fault;
    left_ = n;
    struck_ = false;
}

void FaultyDisk::power_off_at(int n) {
    fail_at(n, {});
    power_ = true;
}

void FaultyDisk::heal() {
    left_ = 0;
    power_ = off_ = failing_ = false;
}

void FaultyDisk::follow_files() { image_.emplace(); }

DiskImage FaultyDisk::stop_following() {
    DiskImage image = std::move(*image_);
    image_.reset();
    return image;
}

Verdict FaultyDisk::before(Operation operation) {
    if (off_) return Verdict::fails;
    const bool counts = fault_.full                     ? operation == Operation::write
                        : power_ || fault_.after_effect ? changes_the_disk(operation)
                                                        : true;
    if (!counts) return Verdict::good;
    if (!failing_) {
        if (left_ == 0 || --left_ > 0) return Verdict::good;
        struck_ = true;
        off_ = power_;
        failing_ = fault_.for_good;
    }
    if (fault_.full) return Verdict::full;
    return fault_.after_effect ? Verdict::fails_after : Verdict::fails;
}

}  // namespace recount::test
