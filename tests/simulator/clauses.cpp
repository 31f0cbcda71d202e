#include "clauses.hpp"

#include "json_text.hpp"

#include <algorithm>

namespace engram::simulator {

bool is_word(char c) {
    auto const u = static_cast<unsigned char>(c);
    return u >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_';
}

std::string plain(std::string_view message) {
    std::string out;
    out.reserve(message.size());
    bool quoted = false;
    for (std::size_t i = 0; i < message.size(); ++i) {
        auto const rest = message.substr(i);
        if (rest.starts_with("\xE2\x80\x99")) {
            out += '\'';
            i += 2;
            continue;
        }
        if (rest[0] == '[' && lower_ascii(trim(rest.substr(1, 12))).starts_with("memory")) {
            auto const end = rest.find_first_of("]\n");
            i += end == std::string_view::npos ? rest.size() : end;
            out += ". ";
            continue;
        }
        if (rest[0] == '"') quoted = !quoted && message.find('"', i + 1) != std::string_view::npos;
        out += quoted || rest[0] == '"' ? ' ' : rest[0];
    }
    return out;
}

std::size_t sentence_end(std::string_view text, std::size_t from) {
    for (auto i = from; i < text.size(); ++i) {
        if (text[i] == '\n') return i;
        if (std::string_view(".!?;").find(text[i]) == std::string_view::npos) continue;
        if (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n' || text[i + 1] == '\t' ||
            text[i] == '?' || text[i] == '!' || text[i] == ';')
            return i;
    }
    return text.size();
}

std::size_t question_start(std::string_view sentence) {
    auto best = std::string_view::npos;
    for (std::string_view asking : {"what", "who", "where", "when", "which", "how", "do you", "can you",
                                    "could you", "would you", "will you", "is ", "are ", "did "})
        for (std::string_view joint : {", ", " - ", " and ", ": "}) {
            auto const found = sentence.find(std::string(joint) + std::string(asking));
            best = std::min(best, found);
        }
    return best == std::string_view::npos ? 0 : best;
}

std::string_view value_of(std::string_view text, std::string_view lower) {
    auto end = text.size();
    for (std::string_view joint :
         {", and i",     " and i ",       " and i'",    " and my ",     ", my ",  ", i ",     ", i'",
          " but ",       ", so ",         ", please",   " and please",  ", what", ", who",    ", can you",
          ", could you", " and call me ", ", call me ", " and you can", ", but",  ", thanks", ", and my "})
        end = std::min(end, std::min(lower.find(joint), end));
    return trim(text.substr(0, end));
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t i = 0; i < text.size();) {
        auto const start = text.find_first_not_of(" \t", i);
        if (start == std::string_view::npos) break;
        auto const end = std::min(text.find_first_of(" \t", start), text.size());
        words.push_back(text.substr(start, end - start));
        i = end;
    }
    return words;
}

}  // namespace engram::simulator
