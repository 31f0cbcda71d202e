#include "workers/chat/memory_tags.hpp"

#include "base/utf8.hpp"
#include "workers/characters.hpp"
#include "workers/chat/tag_scan.hpp"
#include "workers/chat/tag_tidy.hpp"

#include <algorithm>
#include <charconv>
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

// The number in "update #12", "forget 12"; none if `type` is not `verb` and a number.
std::optional<std::int64_t> number_after(std::string_view verb, std::string_view type) {
    if (!type.starts_with(verb)) return std::nullopt;
    auto const rest = type.substr(verb.size());
    auto digits = trim_blanks(rest);
    bool const apart = digits.size() < rest.size() || digits.starts_with('#');
    if (digits.starts_with('#')) digits.remove_prefix(1);
    std::int64_t number = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [stop, error] = std::from_chars(digits.data(), end, number);
    if (!apart || error != std::errc() || stop != end || number <= 0) return std::nullopt;
    return number;
}

// "forget", "forget it", "forget #0", but not "forgetful": a wish to forget something must never become a
// note.
bool is_wish_to_forget(std::string_view type) {
    constexpr std::string_view verb = "forget";
    if (!type.starts_with(verb)) return false;
    type.remove_prefix(verb.size());
    return type.empty() || type[0] == '#' || type[0] == ' ' || type[0] == '\t';
}

std::optional<memory_tag> read_body(std::string_view body) {
    auto const bar = std::min(body.find('|'), body.size());
    auto type = to_lower(trim_blanks(body.substr(0, bar)));
    if (auto const number = number_after("forget", type))
        return memory_tag{{}, {}, memory_tag::kind::forget, *number};
    if (bar == body.size() || is_wish_to_forget(type)) return std::nullopt;
    auto const content = without_controls(body.substr(bar + 1));
    if (base::is_blank(content)) return std::nullopt;
    memory_tag tag{std::move(type), std::string(trim_blanks(content))};
    if (auto const number = number_after("update", tag.type))
        tag = {{}, std::move(tag.content), memory_tag::kind::update, *number};
    return tag;
}

}  // namespace

extraction extract_memory_tags(std::string_view text, std::vector<std::string> const& known_types, bool cut) {
    auto const found = scan_tags(text, cut);
    extraction result;
    result.malformed = found.unfinished;
    for (auto const body : found.bodies) {
        auto tag = read_body(body);
        if (!tag) {
            ++result.malformed;
            continue;
        }
        bool const is_known =
            std::find(known_types.begin(), known_types.end(), tag->type) != known_types.end();
        if (tag->what == memory_tag::kind::add && !is_known) {
            tag->type = "fact";
            ++result.retyped;
        }
        result.tags.push_back(std::move(*tag));
    }
    result.reply = tidy_cuts(found.kept, found.cuts);
    return result;
}

}  // namespace engram::workers
