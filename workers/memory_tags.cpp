#include "workers/memory_tags.hpp"

#include "base/utf8.hpp"
#include "workers/characters.hpp"
#include "workers/tag_scan.hpp"
#include "workers/tag_tidy.hpp"

#include <algorithm>
#include <optional>

namespace engram::workers {
namespace {

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    }
    return lower;
}

std::string without_controls(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        auto const control = control_length(text);
        out += control > 0 ? ' ' : text[0];
        text.remove_prefix(std::max<std::size_t>(control, 1));
    }
    return out;
}

std::optional<memory_tag> read_body(std::string_view body) {
    auto const bar = body.find('|');
    if (bar == std::string_view::npos) return std::nullopt;
    auto const content = without_controls(body.substr(bar + 1));
    if (base::is_blank(content)) return std::nullopt;
    return memory_tag{to_lower(trim_blanks(body.substr(0, bar))), std::string(trim_blanks(content))};
}

}  // namespace

extraction extract_memory_tags(std::string_view text, std::vector<std::string> const& known_types) {
    auto const found = scan_tags(text);
    extraction result;
    result.malformed = found.unfinished;
    for (auto const body : found.bodies) {
        auto tag = read_body(body);
        if (!tag) {
            ++result.malformed;
            continue;
        }
        if (std::find(known_types.begin(), known_types.end(), tag->type) == known_types.end()) {
            tag->type = "fact";
            ++result.retyped;
        }
        result.tags.push_back(std::move(*tag));
    }
    result.reply = tidy_cuts(found.kept, found.cuts);
    return result;
}

}  // namespace engram::workers
