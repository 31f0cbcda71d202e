#include "workers/chat/tag_scan.hpp"

#include <algorithm>

namespace engram::workers {
namespace {

constexpr std::string_view word = "memory";

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

void cut_from(scan& result, std::size_t begin) {
    result.kept.resize(begin);
    while (!result.cuts.empty() && result.cuts.back() >= begin)
        result.cuts.pop_back();
    result.cuts.push_back(begin);
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
    auto const first = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

bool opening_matcher::feed(char c, std::size_t position) {
    if (c == '[') {
        open_.push_back({position, 0});
        return false;
    }
    if (open_.empty()) return false;
    auto& letters = open_.back().letters;
    bool const between_parts = letters == 0 || letters == word.size();
    if (between_parts && is_blank_byte(c)) return false;
    if (letters == word.size() && c == ':') return true;
    if (letters < word.size() && to_lower(c) == word[letters])
        ++letters;
    else
        open_.clear();
    return false;
}

tag_extent find_tag_end(std::string_view text, std::size_t from, bool cut) {
    std::size_t depth = 1;
    std::size_t last_closing = std::string_view::npos;
    std::size_t at = from;
    for (; at < text.size() && text[at] != '\n' && text[at] != '\r'; ++at) {
        if (text[at] == '[') ++depth;
        if (text[at] != ']') continue;
        last_closing = at;
        if (--depth == 0) break;
    }
    bool const ends_beyond = cut && at == text.size();
    if (last_closing == std::string_view::npos || ends_beyond)
        return {text.substr(from, at - from), at, false};
    return {text.substr(from, last_closing - from), last_closing + 1, true};
}

scan scan_tags(std::string_view text, bool cut) {
    scan result;
    result.kept.reserve(text.size());
    opening_matcher matcher;
    std::size_t at = 0;
    while (at < text.size()) {
        if (matcher.idle()) {
            auto const bracket = std::min(text.find('[', at), text.size());
            result.kept.append(text, at, bracket - at);
            at = bracket;
            if (at == text.size()) break;
        }
        bool const opened = matcher.feed(text[at], result.kept.size());
        result.kept += text[at++];
        if (!opened) continue;

        auto const begin = matcher.begin();
        bool const spans_a_cut = !result.cuts.empty() && result.cuts.back() > begin;
        auto const tag = find_tag_end(text, at, cut);
        if (tag.closed && !spans_a_cut)
            result.bodies.push_back(tag.body);
        else
            ++result.unfinished;
        cut_from(result, begin);
        matcher.forget();
        at = tag.end;
    }
    // An answer may be cut in the middle of an opening.
    for (; matcher.has_letters(); matcher.forget()) {
        cut_from(result, matcher.begin());
        ++result.unfinished;
    }
    return result;
}

}  // namespace engram::workers
