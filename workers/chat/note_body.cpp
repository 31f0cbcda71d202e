#include "workers/chat/note_body.hpp"

#include "base/utf8.hpp"
#include "workers/characters.hpp"
#include "workers/chat/note_marks.hpp"

#include <algorithm>
#include <charconv>

namespace engram::workers {
namespace {

constexpr std::string_view emphasis = "*_` ";

// One line: a line break becomes a blank, with the blanks around it, and so does each control character.
std::string to_one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (auto const line_break = line_break_length(text)) {
            out.resize(blanks_before(out, out.size()));
            out += ' ';
            text.remove_prefix(line_break);
            text.remove_prefix(skip_blanks(text, 0));
            continue;
        }
        auto const control = control_length(text);
        out += control > 0 ? ' ' : text[0];
        text.remove_prefix(std::max<std::size_t>(control, 1));
    }
    return out;
}

// The bar, or the first bracket before it; the size of `body` if there is neither.
std::size_t end_of_head(std::string_view body, bool stop_at_bracket) {
    std::size_t at = 0;
    while (at < body.size()) {
        auto const c = look_at(body.substr(at));
        if (c.is == mark::bar || (stop_at_bracket && c.is == mark::open)) break;
        at += c.bytes;
    }
    return std::min(at, body.size());
}

std::string read_head(std::string_view text) {
    auto plain = to_plain_form(to_one_line(text));
    auto const first = std::min(plain.find_first_not_of(emphasis), plain.size());
    plain.erase(0, first);
    plain.resize(plain.find_last_not_of(emphasis) + 1);
    return plain;
}

// Whether there is anything but blanks and control characters.
bool says_something(std::string_view text) {
    while (!text.empty()) {
        auto const c = look_at(text);
        auto const control = control_length(text);
        if (control == 0 && c.is != mark::blank && !base::is_blank(text.substr(0, c.bytes))) return true;
        text.remove_prefix(std::max(control, c.bytes));
    }
    return false;
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
    return type.empty() || type[0] == '#' || type[0] == ' ';
}

}  // namespace

note_body split_body(std::string_view body) {
    auto const bar = end_of_head(body, false);
    note_body parts{read_head(body.substr(0, bar)), {}, bar < body.size()};
    if (parts.has_bar) parts.content = body.substr(bar + look_at(body.substr(bar)).bytes);
    return parts;
}

std::optional<memory_tag> read_body(std::string_view body) {
    auto parts = split_body(body);
    if (auto const number = number_after("forget", parts.head))
        return memory_tag{{}, {}, memory_tag::kind::forget, *number};
    if (!parts.has_bar || is_wish_to_forget(parts.head)) return std::nullopt;
    auto const content = to_one_line(parts.content);
    if (!says_something(content)) return std::nullopt;
    memory_tag tag{std::move(parts.head), std::string(trim_blanks(content))};
    if (auto const number = number_after("update", tag.type))
        tag = {{}, std::move(tag.content), memory_tag::kind::update, *number};
    return tag;
}

bool is_well_formed(std::string_view body) {
    auto const end = end_of_head(body, true);
    auto const head = read_head(body.substr(0, end));
    if (end < body.size() && look_at(body.substr(end)).is == mark::open) return false;
    if (number_after("forget", head)) return true;
    if (end == body.size() || is_wish_to_forget(head)) return false;
    return says_something(body.substr(end + look_at(body.substr(end)).bytes));
}

}  // namespace engram::workers
