#include "audit_bookmark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include <recount/core/error.hpp>

namespace recount::tools {
namespace {

/// Written and on disk.
bool write_durably(const std::string& path, const std::string& text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return false;
    const auto written = write(file, text.data(), text.size());
    const bool fine = written == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
    return close(file) == 0 && fine;
}

}  // namespace

AuditBookmark::AuditBookmark(std::string path, std::string subject, std::string topic)
    : path_(std::move(path)), subject_(std::move(subject)), topic_(std::move(topic)) {}

std::vector<AuditPlace> AuditBookmark::read() const {
    std::ifstream file{path_};
    if (!file) return {};
    std::string subject;
    std::getline(file, subject);
    if (subject != subject_) {
        throw InvalidArgument(path_ + " is not the bookmark of this audit: it begins with '" +
                              subject + "', expected '" + subject_ +
                              "'; name another file, or remove it to begin anew");
    }
    std::string topic;
    std::getline(file, topic);
    if (topic != "places in " + topic_) return {};  // or of a program that did not say it yet
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    try {
        return parse_audit_places(text);
    } catch (const InvalidArgument& error) {
        throw InvalidArgument(path_ + ": " + error.what() + ": remove the file");
    }
}

void AuditBookmark::keep(const std::vector<AuditPlace>& places) const {
    const std::string fresh = path_ + ".new";
    const bool kept =
        write_durably(fresh, subject_ + "\nplaces in " + topic_ + "\n" + to_text(places)) &&
        std::rename(fresh.c_str(), path_.c_str()) == 0;
    if (kept) return;
    throw Error(path_ + " could not be written, and holds what it held; check folder and rights");
}

}  // namespace recount::tools
