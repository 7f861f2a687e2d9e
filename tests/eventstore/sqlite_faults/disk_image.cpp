#include "eventstore/sqlite_faults/disk_image.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace recount::test {

void DiskImage::follow(const std::string& path) {
    if (files_.contains(path)) return;
    if (auto unfinished = files_.extract(path + ".recount-unfinished");
        !unfinished.empty() && std::filesystem::exists(path)) {
        unfinished.key() = path;
        files_.insert(std::move(unfinished));
        return;
    }
    File& file = files_[path];
    std::ifstream in{path, std::ios::binary};
    file.exists = in.is_open();
    file.bytes.assign(std::istreambuf_iterator<char>{in}, {});
}

void DiskImage::write(const std::string& path, std::int64_t offset, std::string_view bytes) {
    files_[path].unsynced.push_back({Change::Kind::write, offset, std::string{bytes}});
}

void DiskImage::truncate(const std::string& path, std::int64_t size) {
    files_[path].unsynced.push_back({Change::Kind::truncate, size, {}});
}

void DiskImage::remove(const std::string& path, bool for_certain) {
    if (for_certain) {
        files_[path] = {};
    } else {
        files_[path].unsynced.push_back({Change::Kind::remove, 0, {}});
    }
}

void DiskImage::sync(const std::string& path) {
    File& file = files_[path];
    for (const Change& change : file.unsynced) apply(file, change);
    file.unsynced.clear();
    file.exists = true;
}

void DiskImage::apply(File& file, const Change& change) {
    if (change.kind == Change::Kind::remove) {
        file.exists = false;
        file.bytes.clear();
        return;
    }
    file.exists = true;
    const auto offset = static_cast<std::size_t>(change.offset);
    if (change.kind == Change::Kind::truncate) {
        file.bytes.resize(offset);
    } else {
        file.bytes.resize(std::max(file.bytes.size(), offset + change.bytes.size()));
        file.bytes.replace(offset, change.bytes.size(), change.bytes);
    }
}

std::uint64_t DiskImage::Dice::operator()() {
    std::uint64_t next = state += 0x9e3779b97f4a7c15;
    next = (next ^ next >> 30) * 0xbf58476d1ce4e5b9;
    next = (next ^ next >> 27) * 0x94d049bb133111eb;
    return next ^ next >> 31;
}

DiskImage::File DiskImage::survivor(const File& file, Dice& dice) {
    File left{file.exists, file.bytes, {}};
    // Now and then nearly all is lost, or nearly nothing.
    const std::uint64_t kept_of_eight = dice() % 9;
    const auto kept = [&] { return dice() % 8 < kept_of_eight; };
    for (const Change& change : file.unsynced) {
        if (change.kind == Change::Kind::remove) {
            if (!kept()) return left;  // the name still stands for the file that was removed
            apply(left, change);
            continue;
        }
        if (change.kind == Change::Kind::truncate) {
            if (kept()) apply(left, change);
            continue;
        }
        for (std::size_t at = 0; at < change.bytes.size();) {
            const std::size_t to = static_cast<std::size_t>(change.offset) + at;
            const std::size_t size = std::min(sector - to % sector, change.bytes.size() - at);
            if (kept()) {
                apply(left, {Change::Kind::write, static_cast<std::int64_t>(to),
                             change.bytes.substr(at, size)});
            }
            at += size;
        }
    }
    return left;
}

void DiskImage::lose_power(const std::filesystem::path& into, std::uint64_t seed) {
    Dice dice{seed};
    for (const auto& [path, file] : files_) {
        const File left = survivor(file, dice);
        if (!left.exists) continue;
        std::filesystem::path name{path};
        if (name.extension() == ".recount-unfinished" && !std::filesystem::exists(name)) {
            name.replace_extension();
            if (!std::filesystem::exists(name)) continue;  // removed, not renamed
        }
        std::ofstream{into / name.filename(), std::ios::binary} << left.bytes;
    }
}

}  // namespace recount::test
