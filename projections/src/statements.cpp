#include "statements.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace recount::projections {
namespace {

/// Passes over what is no word: quoted texts and names, comments, everything else.
class Words {
public:
    explicit Words(std::string_view script) : rest_(script) {}

    /// The next word in lower case, or ";"; empty at the end.
    std::string next() {
        while (!rest_.empty()) {
            const char letter = rest_.front();
            if (is_of_word(letter)) return word();
            if (letter == ';') {
                rest_.remove_prefix(1);
                return ";";
            }
            pass(letter);
        }
        return {};
    }

private:
    static bool is_of_word(char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
    }
    std::string word() {
        std::string found;
        for (; !rest_.empty() && is_of_word(rest_.front()); rest_.remove_prefix(1)) {
            found += static_cast<char>(std::tolower(static_cast<unsigned char>(rest_.front())));
        }
        return found;
    }
    void pass(char letter) {
        if (letter == '\'' || letter == '"' || letter == '`') return pass_to({&letter, 1}, 1);
        if (letter == '[') return pass_to("]", 1);
        if (rest_.starts_with("--")) return pass_to("\n", 2);
        if (rest_.starts_with("/*")) return pass_to("*/", 2);
        if (letter == '$') return pass_dollars();
        rest_.remove_prefix(1);
    }
    /// A doubled quote is two texts side by side.
    void pass_to(std::string_view end, std::size_t from) {
        const auto found = rest_.find(end, from);
        rest_.remove_prefix(found == std::string_view::npos ? rest_.size() : found + end.size());
    }
    /// PostgreSQL's $tag$ … $tag$; $1 is a parameter.
    void pass_dollars() {
        std::size_t end = 1;
        while (end < rest_.size() && is_of_word(rest_[end])) ++end;
        const bool number = end > 1 && std::isdigit(static_cast<unsigned char>(rest_[1])) != 0;
        if (number || end == rest_.size() || rest_[end] != '$') return rest_.remove_prefix(end);
        const std::string tag{rest_.substr(0, end + 1)};
        pass_to(tag, tag.size());
    }

    std::string_view rest_;
};

}  // namespace

bool ends_transaction(std::string_view script) {
    constexpr std::array always{"begin", "start", "commit", "end", "abort"};
    Words words{script};
    for (std::string word = words.next(); !word.empty(); word = words.next()) {
        if (word == ";") continue;  // the next one begins a statement
        if (std::ranges::find(always, word) != always.end()) return true;
        const std::string first = word;
        bool to = false, transaction = false;
        for (word = words.next(); !word.empty() && word != ";"; word = words.next()) {
            to = to || word == "to";
            transaction = transaction || word == "transaction" || word == "prepared";
        }
        if (first == "rollback" && !to) return true;
        if (first == "prepare" && transaction) return true;
        if (word.empty()) return false;
    }
    return false;
}

}  // namespace recount::projections
