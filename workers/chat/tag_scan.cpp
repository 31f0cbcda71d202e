#include "workers/chat/tag_scan.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {
namespace {

// As in Markdown.
constexpr std::size_t code_indent = 4;     // blanks
constexpr std::size_t shortest_fence = 3;  // marks

constexpr std::string_view bullets[] = {
    "-",
    "*",
    "+",
    "\xE2\x80\xA2",
    "\xE2\x80\x93",
    "\xE2\x80\x94",
    "\xC2\xB7",
    "\xE2\x97\xA6",
    "\xE2\x96\xAA",
    "\xE2\x80\xA3",
    "\xE3\x83\xBB",
    "\xE2\x97\x8F",  // • – — · ◦ ▪ ‣ ・ ●
};

bool is_ended_mark(std::string_view text, std::size_t at, std::size_t end) {
    if (at >= end) return true;
    auto const is = look_at(text.substr(at)).is;
    return is == mark::blank || is == mark::open;
}

// Behind the bullet at `at`, and a box to tick behind it; `at` if there is none.
std::size_t skip_bullet(std::string_view text, std::size_t at, std::size_t end) {
    auto const rest = text.substr(at, end - at);
    for (auto const bullet : bullets) {
        if (!rest.starts_with(bullet) || !is_ended_mark(text, at + bullet.size(), end)) continue;
        auto const behind = std::min(skip_blanks(text, at + bullet.size()), end);
        auto const box = text.substr(behind, std::min<std::size_t>(3, end - behind));
        return box == "[ ]" || box == "[x]" || box == "[X]" ? behind + 3 : behind;
    }
    return at;
}

struct list_number {
    std::size_t end = 0;  // behind it; 0: there is none
    unsigned value = 0;
};

list_number read_list_number(std::string_view text, std::size_t at, std::size_t end) {
    auto const plain = to_plain_form(text.substr(at, std::min<std::size_t>(end - at, 16)));
    unsigned value = 0;
    std::size_t digits = 0;
    while (digits < plain.size() && digits < 3 && plain[digits] >= '0' && plain[digits] <= '9')
        value = value * 10 + unsigned(plain[digits++] - '0');
    if (digits == 0 || digits == plain.size()) return {};
    // Full-width digits and marks have three bytes each.
    std::size_t size = 0;
    for (std::size_t i = 0; i < digits; ++i)
        size += look_at(text.substr(at + size)).bytes;
    bool const ascii = plain[digits] == '.' || plain[digits] == ')';
    bool const comma = text.substr(at + size).starts_with("\xE3\x80\x81");  // 、
    if (!ascii && !comma) return {};
    size += look_at(text.substr(at + size)).bytes;
    if (!is_ended_mark(text, at + size, end)) return {};
    return {std::min(skip_blanks(text, at + size), end), value};
}

std::size_t run_length(std::string_view text, std::size_t at, std::size_t end, char c) {
    std::size_t length = 0;
    while (at + length < end && text[at + length] == c)
        ++length;
    return length;
}

std::size_t indentation(std::string_view line) {
    std::size_t columns = 0;
    for (std::size_t at = 0; at < line.size();) {
        auto const c = look_at(line.substr(at));
        if (c.is != mark::blank) break;
        columns += line[at] == '\t' ? code_indent : 1;
        at += c.bytes;
    }
    return columns;
}

}  // namespace

// What the lines before say of the next one.
struct marked_text::block_state {
    char fence = 0;  // the character of the open fence; 0: none is open
    std::size_t fence_length = 0;
    bool in_list = false;
    bool may_be_code = true;  // a blank line, code or nothing is before it
    unsigned number = 0;      // the last one that stood before an item
};

marked_text::marked_text(std::string_view text, bool cut) : text_(text), cut_(cut) {
    split_lines();
    pair_brackets();
}

void marked_text::split_lines() {
    block_state state;
    for (std::size_t begin = 0; begin <= text_.size();) {
        text_line line;
        line.begin = line.content = begin;
        line.end = std::min(text_.find_first_of("\r\n", begin), text_.size());
        line.next = line.end + (text_.substr(line.end).starts_with("\r\n") ? 2 : 1);
        classify(line, state);
        lines_.push_back(line);
        begin = line.next;
    }
}

void marked_text::classify(text_line& line, block_state& state) const {
    using kind = text_line::kind;
    line.content = std::min(skip_blanks(text_, line.begin), line.end);
    bool const blank = line.content == line.end;
    if (state.fence == 0 && blank) {
        line.is = kind::blank;
        state.may_be_code = true;
        return;
    }
    auto const indent = indentation(text_.substr(line.begin, line.end - line.begin));
    auto const fence = [&](std::size_t at) {
        auto const c = at < line.end && (text_[at] == '`' || text_[at] == '~') ? text_[at] : '\0';
        auto const length = c == 0 ? 0 : run_length(text_, at, line.end, c);
        return length >= shortest_fence ? length : 0;
    };
    if (state.fence != 0) {
        auto const length = fence(line.content);
        bool const closes = length >= state.fence_length && text_[line.content] == state.fence &&
                            skip_blanks(text_, line.content + length) >= line.end;
        line.is = closes ? kind::fence : kind::fenced;
        if (closes) state = {0, 0, state.in_list, false, state.number};
        return;
    }
    bool const may_be_code = state.may_be_code;
    state.may_be_code = false;
    auto const before_marks = line.content;
    skip_marks(line, state);
    if (auto const length = fence(line.content);
        length > 0 && (text_[line.content] == '~' ||
                       text_.substr(line.content + length, line.end - line.content - length).find('`') ==
                           std::string_view::npos)) {
        line.is = kind::fence;
        line.opens_fence = true;
        state.fence = text_[line.content];
        state.fence_length = length;
        return;
    }
    auto const rest = text_.substr(line.content, line.end - line.content);
    if (rest.starts_with('>') || rest.starts_with("\xEF\xBC\x9E")) {
        line.is = kind::quoted;
    } else if (line.content > before_marks) {
        state.in_list = true;
    } else if (indent >= code_indent && may_be_code && !state.in_list) {
        line.is = kind::indented;
        state.may_be_code = true;
    } else if (indent == 0) {
        state.in_list = false;
    }
}

// A number is a list mark only where it counts on: "42." may be the answer.
void marked_text::skip_marks(text_line& line, block_state& state) const {
    for (;;) {
        auto next = skip_bullet(text_, line.content, line.end);
        if (next == line.content) {
            auto const number = read_list_number(text_, line.content, line.end);
            if (number.end == 0 || number.value > state.number + 1) break;
            state.number = number.value;
            next = number.end;
        }
        line.content = next;
    }
    auto const heading = run_length(text_, line.content, line.end, '#');
    if (heading > 0 && is_ended_mark(text_, line.content + heading, line.end))
        line.content = std::min(skip_blanks(text_, line.content + heading), line.end);
}

void marked_text::pair_brackets() {
    std::vector<std::size_t> open;  // into brackets_
    auto last = text_line::kind::plain;
    for (std::size_t line = 0; line < lines_.size(); ++line) {
        auto const& one = lines_[line];
        // No note reaches into the next one, or into or out of code or a quotation.
        bool const apart = one.is != text_line::kind::blank && std::exchange(last, one.is) != one.is;
        auto at = one.content;
        while (at < one.end && (text_[at] == '*' || text_[at] == '_' || text_[at] == '`' || text_[at] == '('))
            ++at;
        if (apart || (at < one.end && read_opening(text_, at).is == opening::extent::whole)) open.clear();
        pair_brackets(line, open);
    }
    for (auto const one : open)
        brackets_[one].cut_off = cut_ && lines_.size() - brackets_[one].line <= most_lines;
}

void marked_text::pair_brackets(std::size_t line, std::vector<std::size_t>& open) {
    auto& one = lines_[line];
    auto const text = text_.substr(0, one.end);
    for (auto at = one.begin; (at = text.find_first_of("[]\xE2\xE3\xEF", at)) != text.npos;) {
        auto const c = look_at(text.substr(at));
        if (c.is == mark::open) {
            open.push_back(brackets_.size());
            brackets_.push_back({at, line, 0, 0, false});
        } else if (c.is == mark::close) {
            one.last_close = at + c.bytes;
            if (!open.empty()) {
                brackets_[open.back()].close = one.last_close;
                brackets_[open.back()].close_line = line;
                open.pop_back();
            }
        }
        // Bytes that are no UTF-8 hide nothing.
        at += c.is == mark::open || c.is == mark::close ? c.bytes : 1;
    }
}

note_extent marked_text::read_note(std::size_t begin, opening whole, std::size_t line) const {
    auto const& one = lines_[line];
    note_extent note{begin, one.end, line, {}, false, false};
    auto const pair = std::ranges::lower_bound(brackets_, begin, {}, &bracket::at);
    if (pair == brackets_.end() || pair->at != begin) return note;
    if (pair->cut_off) {
        note.end = text_.size();
        note.last_line = lines_.size() - 1;
        return note;
    }
    auto const lines = pair->close == 0 ? 0 : pair->close_line - line + 1;
    if (lines > 0 && lines <= most_lines) {
        note.end = pair->close;
        note.last_line = pair->close_line;
        note.closed = note.balanced = true;
    } else if (one.last_close > whole.end) {
        note.end = one.last_close;
        note.closed = true;
    }
    auto body = text_.substr(whole.end, note.end - whole.end);
    if (note.closed) {
        std::size_t bytes = 1;
        while (look_at(body.substr(body.size() - bytes)).is != mark::close)
            ++bytes;
        body.remove_suffix(bytes);
    }
    note.body = body;
    return note;
}

}  // namespace engram::workers
