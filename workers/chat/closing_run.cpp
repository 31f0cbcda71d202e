#include "workers/chat/closing_run.hpp"

#include "workers/chat/note_body.hpp"

#include <algorithm>
#include <string_view>

namespace engram::workers {
namespace {

using kind = text_line::kind;
constexpr auto none = std::string_view::npos;

// What changes or removes a memory must not be an example. The end of an answer that was cut does neither.
bool may_be_in_code(marked_text const& text, note_extent const& note) {
    if (!note.closed) return note.end == text.text().size();
    auto const tag = read_body(note.body);
    return tag && tag->what == memory_tag::kind::add;
}

bool is_of_fence(note_row const& row) {
    return row.is == kind::fence || row.is == kind::fenced;
}

// The first row of the code that ends with this one, if it holds nothing but new notes; none if it holds
// more.
std::size_t first_of_code(marked_text const& text, std::vector<note_row> const& rows, std::size_t last) {
    bool has_notes = false;
    auto const& end = rows[last];
    bool const in_fence = is_of_fence(end);
    if (!in_fence && !(end.code && end.notes_only)) return none;
    if (end.is == kind::fence && text.lines()[end.first_line].opens_fence) return none;
    for (auto i = end.is == kind::fence ? last : last + 1; i-- > 0;) {
        auto const& one = rows[i];
        if (in_fence && one.is == kind::fence) return has_notes ? i : none;
        auto const content = text.text().substr(one.begin, one.end - one.begin);
        bool const empty = in_fence ? content.find_first_not_of(" \t") == none : one.is == kind::blank;
        bool const notes =
            one.code && one.notes_only &&
            std::ranges::all_of(one.notes, [&](auto const& note) { return may_be_in_code(text, note.at); });
        if (!in_fence && !empty && !notes) return has_notes ? i + 1 : none;
        if (!empty && !notes) return none;
        has_notes |= notes;
    }
    return in_fence ? none : 0;
}

// "Like this:" before code makes it an example.
bool is_introduced(std::string_view text, std::vector<note_row> const& rows, std::size_t first) {
    while (first > 0 && rows[first - 1].is == kind::blank)
        --first;
    if (first == 0) return false;
    auto const& before = rows[first - 1];
    auto line = text.substr(before.begin, before.end - before.begin);
    for (;;) {
        line = line.substr(0, blanks_before(line, line.size()));
        if (line.empty() || !is_emphasis(line.back())) break;
        line.remove_suffix(1);
    }
    return ends_with(line, mark::colon);
}

}  // namespace

std::size_t find_closing_run(marked_text const& text, std::vector<note_row> const& rows, bool with_code) {
    auto begin = rows.size();
    while (begin > 0) {
        auto const last = begin - 1;
        auto const& one = rows[last];
        if (one.is == kind::blank || (one.notes_only && !one.code)) {
            begin = last;
            continue;
        }
        auto const first = with_code ? first_of_code(text, rows, last) : none;
        if (first == none || is_introduced(text.text(), rows, first)) break;
        begin = first;
    }
    return begin;
}

}  // namespace engram::workers
