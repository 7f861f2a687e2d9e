#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace recount::test {

/// What of some files is certain to be on the disk, and what was written since and may be lost.
/// One thread at a time.
///
/// Of what was not synced a power loss keeps any part: each sector of 512 bytes of each write by
/// itself, whatever came before or after it. What a journal of the file system keeps in order stays
/// in order: a file that was made anew under a name holds nothing of the one before.
class DiskImage {
public:
    static constexpr std::size_t sector = 512;

    /// The file as it is, when it was not followed yet. A file that was renamed from <path>.new
    /// brings what was not synced of it.
    void follow(const std::string& path);
    void write(const std::string& path, std::int64_t offset, std::string_view bytes);
    void truncate(const std::string& path, std::int64_t size);
    void remove(const std::string& path, bool for_certain);
    void sync(const std::string& path);

    /// Puts the files that a power loss leaves into a folder, under their own names. The same seed
    /// and history leave the same.
    void lose_power(const std::filesystem::path& into, std::uint64_t seed);

private:
    struct Change {
        enum class Kind : std::uint8_t { write, truncate, remove };
        Kind kind = Kind::write;
        std::int64_t offset = 0;  // or the size
        std::string bytes;
    };
    struct File {
        bool exists = false;
        std::string bytes;
        std::vector<Change> unsynced;
    };

    /// The same numbers for the same seed, on every machine (splitmix64).
    struct Dice {
        std::uint64_t state;
        std::uint64_t operator()();
    };

    static void apply(File& file, const Change& change);
    static File survivor(const File& file, Dice& dice);

    std::map<std::string, File> files_;
};

}  // namespace recount::test
