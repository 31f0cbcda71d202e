#include "workers/chat/note_rows.hpp"

#include "workers/chat/inline_notes.hpp"
#include "workers/chat/note_shell.hpp"
#include "workers/chat/quotations.hpp"

#include <optional>
#include <unordered_set>
#include <utility>

namespace engram::workers {
namespace {

using kind = text_line::kind;

// "a[m" may be the end of an answer; of one that was cut the shortest half is more likely than such an end.
constexpr std::size_t shortest_half_of_whole = 3;  // letters

class row_reader {
public:
    explicit row_reader(marked_text const& text)
        : marked_(text),
          text_(text.text()),
          lines_(text.lines()),
          elements_(text),
          shortest_half_(shortest_half(text)) {}

    std::vector<note_row> read() {
        for (std::size_t line = 0; line < lines_.size(); line = rows_.back().last_line + 1)
            rows_.push_back(read_row(line));
        return std::move(rows_);
    }

private:
    note_row read_row(std::size_t line);
    bool read_notes_only(note_row& into);
    std::optional<note_candidate> candidate_at(std::size_t at, std::size_t line) const;

    marked_text const& marked_;
    std::string_view text_;
    std::vector<text_line> const& lines_;
    quoting_elements elements_;
    std::size_t shortest_half_;
    std::unordered_set<std::size_t> dead_ends_;
    std::vector<note_row> rows_;
};

note_row row_reader::read_row(std::size_t line) {
    note_row one;
    one.first_line = one.last_line = line;
    one.begin = lines_[line].begin;
    one.end = lines_[line].end;
    one.is = lines_[line].is;
    one.code = one.is == kind::indented || one.is == kind::fenced;
    if (one.is == kind::blank || one.is == kind::quoted || one.is == kind::fence) return one;
    one.notes_only = !elements_.has(lines_[line].content) && read_notes_only(one);
    if (one.notes_only) {
        // Lines that begin with a list mark begin something new.
        bool const goes_on = one.is == kind::plain && lines_[line].content == skip_blanks(text_, one.begin);
        one.quoted = goes_on && line > 0 && (rows_.back().is == kind::quoted || rows_.back().quoted);
        one.shows_note = one.code;
        if (one.quoted) one.notes.clear();
        one.notes_only = !one.quoted;
    } else if (one.code) {
        one.shows_note = has_opening(text_.substr(one.begin, one.end - one.begin));
    } else {
        read_inline_notes(marked_, elements_, one);
    }
    return one;
}

std::optional<note_candidate> row_reader::candidate_at(std::size_t at, std::size_t line) const {
    auto const found = read_opening(text_, at);
    if (found.is == opening::extent::whole) return note_candidate{marked_.read_note(at, found, line)};
    if (found.is == opening::extent::none || found.letters < shortest_half_) return std::nullopt;
    return half_note(text_, at, line);
}

// A line may go on through notes that end in the next ones, and then fail. What follows a note is the same
// for every line that comes to it, so no note is passed twice in vain.
bool row_reader::read_notes_only(note_row& into) {
    auto const before = into;
    shell_reader shells;
    bool possible = true;
    for (auto at = lines_[into.first_line].content; possible && at < into.end;) {
        if (auto one = candidate_at(at, into.last_line); one && !(one->half && into.code)) {
            possible = !dead_ends_.contains(at);
            shells.pass_note(one->at.closed);
            at = one->at.end;
            into.last_line = one->at.last_line;
            into.end = lines_[into.last_line].end;
            into.notes.push_back(std::move(*one));
        } else {
            auto const shell = shells.read(text_.substr(at));
            into.code |= shell > 0 && text_[at] == '`';
            possible = shell > 0;
            at += shell;
        }
    }
    if (possible && shells.is_complete() && !into.notes.empty()) return true;
    for (auto const& one : into.notes)
        dead_ends_.insert(one.at.begin);
    into = before;
    return false;
}

}  // namespace

std::size_t shortest_half(marked_text const& text) {
    return text.is_cut() ? 1 : shortest_half_of_whole;
}

std::vector<note_row> read_rows(marked_text const& text) {
    return row_reader(text).read();
}

}  // namespace engram::workers
