#include "workers/chat/inline_notes.hpp"

#include "workers/chat/code_spans.hpp"
#include "workers/chat/note_body.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {
namespace {

// What stands apart from a bracket by more than this is not read together with it.
constexpr std::size_t most_blanks = 64;  // bytes

class inline_reader {
public:
    inline_reader(marked_text const& text, quoting_elements const& elements, note_row& into)
        : marked_(text),
          text_(text.text()),
          lines_(text.lines()),
          elements_(elements),
          row_(into),
          shortest_half_(shortest_half(text)),
          at_(into.begin),
          marks_from_(into.begin),
          code_(text_, into.begin, into.end),
          marks_(text_, into.begin, into.end) {}

    void read() {
        expect_marks();
        while (at_ < row_.end) {
            if (text_[at_] == '`') {
                pass_code();
                continue;
            }
            if (at_ >= marks_from_) marks_.see(at_);
            if (text_[at_] == '\\' && at_ + 1 < row_.end) {
                pass_backslash();
                continue;
            }
            auto const c = look_at(text_.substr(at_));
            auto const found = c.is == mark::open ? read_opening(text_, at_) : opening();
            if (found.is == opening::extent::half && found.letters >= shortest_half_) {
                row_.notes.push_back(half_note(text_, at_, row_.last_line));
                return;
            }
            if (found.is == opening::extent::whole)
                pass_opening(found);
            else
                at_ += c.bytes;
        }
    }

private:
    void pass_code() {
        auto const behind = code_.skip(at_);
        row_.shows_note |= has_opening(text_.substr(at_, behind - at_));
        at_ = behind;
    }

    // Makes the bracket behind it text.
    void pass_backslash() {
        auto const escaped = look_at(text_.substr(at_ + 1));
        at_ += escaped.is == mark::open || text_[at_ + 1] == '\\' ? 1 + escaped.bytes : 1;
    }

    void pass_opening(opening const& found) {
        if (elements_.has(at_)) {
            row_.shows_note = true;
            at_ = found.end;
            return;
        }
        note_candidate one{marked_.read_note(at_, found, row_.last_line)};
        one.quoted = marks_.is_open_beyond(one.at.end);
        if (one.at.closed) marks_from_ = std::max(marks_from_, one.at.end);
        at_ = found.end;
        bool const cut_off = !one.at.closed && one.at.end == text_.size();
        if (cut_off || is_countable(text_, row_, one)) pass_note(one.at);
        row_.notes.push_back(std::move(one));
    }

    void pass_note(note_extent const& note) {
        at_ = note.end;
        if (note.last_line <= row_.last_line) return;
        row_.last_line = note.last_line;
        row_.end = lines_[row_.last_line].end;
        code_ = code_spans(text_, at_, row_.end);
        marks_.extend(row_.end);
        expect_marks();
    }

    // The marks from here to the end of the line, but for those in code and in notes.
    void expect_marks() {
        auto const line = row_.last_line;
        for (auto at = at_; at < lines_[line].end;) {
            auto const c = look_at(text_.substr(at));
            auto const found = c.is == mark::open ? read_opening(text_, at) : opening();
            if (found.is == opening::extent::whole) {
                auto const note = marked_.read_note(at, found, line);
                at = note.closed ? note.end : found.end;
            } else if (text_[at] == '`') {
                at = code_.skip(at);
            } else {
                marks_.expect(at);
                at += c.bytes;
            }
        }
    }

    marked_text const& marked_;
    std::string_view text_;
    std::vector<text_line> const& lines_;
    quoting_elements const& elements_;
    note_row& row_;
    std::size_t shortest_half_;
    std::size_t at_;
    std::size_t marks_from_;  // quotation marks before it are those of a note
    code_spans code_;
    quotation_marks marks_;
};

// Behind the run of notes that begins with note number `first`: the row's end, or text.
std::size_t behind_run(std::string_view text, note_row const& in, std::size_t first) {
    auto const& notes = in.notes;
    auto at = notes[first].at.end;
    for (auto next = first + 1; at < in.end;) {
        at = std::min(skip_blanks(text, at), in.end);
        while (next < notes.size() && notes[next].at.begin < at)
            ++next;
        if (next == notes.size() || notes[next].at.begin != at) break;
        at = notes[next].at.end;
    }
    // Emphasis that was opened right before the run.
    for (auto left = notes[first].at.begin;
         at < in.end && left > in.begin && is_emphasis(text[at]) && text[left - 1] == text[at]; --left)
        ++at;
    return std::min(skip_blanks(text, at), in.end);
}

// Which notes could be in the run that closes the answer: those behind which nothing but notes follows. Where
// brackets do not balance, the last opening of the line is taken for the note.
void find_tail(std::string_view text, note_row& in) {
    auto const& notes = in.notes;
    for (std::size_t i = 0; i < notes.size();) {
        auto const& one = notes[i].at;
        bool const guessed =
            one.closed && !one.balanced && i + 1 < notes.size() && notes[i + 1].at.begin < one.end;
        auto const end = guessed ? one.begin : behind_run(text, in, i);
        if (end >= in.end) {
            in.tail = i;
            return;
        }
        do
            ++i;
        while (i < notes.size() && notes[i].at.begin < end);
    }
}

// What lies inside a note of the run is its content.
void drop_inside_of_tail(note_row& in) {
    if (in.tail == note_row::no_tail) return;
    auto& notes = in.notes;
    std::size_t end = 0;
    std::size_t kept = in.tail;
    for (auto i = in.tail; i < notes.size(); ++i) {
        if (notes[i].at.begin < end) continue;
        end = notes[i].at.end;
        if (kept != i) notes[kept] = std::move(notes[i]);
        ++kept;
    }
    notes.resize(kept);
}

}  // namespace

void read_inline_notes(marked_text const& text, quoting_elements const& elements, note_row& into) {
    if (!has_opening(text.text().substr(into.begin, into.end - into.begin))) return;
    inline_reader(text, elements, into).read();
    find_tail(text.text(), into);
    drop_inside_of_tail(into);
}

bool is_countable(std::string_view text, note_row const& in, note_candidate const& one) {
    if (one.half || one.quoted || !one.at.closed || !is_well_formed(one.at.body)) return false;
    auto const left = text.substr(in.begin, one.at.begin - in.begin);
    auto const right = text.substr(one.at.end);
    // A link, or what somebody said.
    if (right.starts_with('(') || is_between_quotation_marks(left, right)) return false;
    // Without it, what is around it could become a note.
    if (half_opening_before(text, one.at.begin, in.begin, 1) != one.at.begin) return false;
    if (!ends_with(left.substr(0, blanks_before(left, left.size())), mark::open)) return true;
    auto const behind = skip_blanks(right.substr(0, most_blanks), 0);
    return behind < most_blanks && !to_plain_form(right.substr(behind, 3)).starts_with('m');
}

note_candidate half_note(std::string_view text, std::size_t at, std::size_t line) {
    return {{at, text.size(), line, {}, false, false}, true};
}

}  // namespace engram::workers
