#include "daemon/unit_text.hpp"

#include <array>
#include <unistd.h>
#include <utility>

namespace engram::daemon {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string host() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// What one letter stands for; false: it is not known.
bool stands_for(char letter, std::string_view name, std::string& meaning) {
    std::string_view const base = name.substr(0, name.rfind(".service"));
    auto const at = base.find('@');
    auto const instance = at == std::string_view::npos ? "" : base.substr(at + 1);
    switch (letter) {
        case '%':
            meaning = "%";
            return true;
        case 'i':
        case 'I':
            meaning = instance;
            return true;
        case 'n':
            meaning = std::string(base) + ".service";
            return true;
        case 'N':
            meaning = base;
            return true;
        case 'p':
            meaning = base.substr(0, at);
            return true;
        case 'H':
            meaning = host();
            return true;
        case 'l':
            meaning = host().substr(0, host().find('.'));
            return true;
        case 'S':
            meaning = "/var/lib";
            return true;
        case 'E':
            meaning = "/etc";
            return true;
        default:
            return false;
    }
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (quote == 0 && blanks.find(c) != std::string_view::npos) {
            if (std::exchange(in_word, false)) words.push_back(std::exchange(word, {}));
            continue;
        }
        in_word = true;
        if (c == '\\' && quote != '\'' && i + 1 < text.size())
            word += text[++i];
        else if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = 0;
        else
            word += c;
    }
    if (in_word) words.push_back(std::move(word));
    return words;
}

std::vector<assignment> read_assignments(std::string_view text) {
    std::vector<assignment> all;
    std::string section, joined;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto line = trimmed(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.starts_with('#') || line.starts_with(';')) continue;  // also between two parts of a line
        if (line.ends_with('\\') && !text.empty()) {
            joined.append(line.substr(0, line.size() - 1)) += ' ';
            continue;
        }
        joined += line;
        auto const whole = trimmed(joined);
        auto const at = whole.find('=');
        if (whole.starts_with('[') && whole.ends_with(']'))
            section = whole.substr(1, whole.size() - 2);
        else if (at != std::string_view::npos)
            all.push_back({std::string(trimmed(whole.substr(0, at))),
                           std::string(trimmed(whole.substr(at + 1))), section});
        joined.clear();
    }
    return all;
}

std::string expand_specifiers(std::string_view text, std::string_view name) {
    std::string expanded, meaning;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 1 < text.size() && stands_for(text[i + 1], name, meaning)) {
            expanded += meaning;
            ++i;
        } else {
            expanded += text[i];
        }
    }
    return expanded;
}

}  // namespace engram::daemon
