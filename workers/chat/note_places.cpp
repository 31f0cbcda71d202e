#include "workers/chat/note_places.hpp"

#include "workers/chat/closing_run.hpp"
#include "workers/chat/inline_notes.hpp"
#include "workers/chat/note_rows.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace engram::workers {
namespace {

using kind = text_line::kind;

struct pair {
    std::string_view left, right;
};
constexpr pair wraps[] = {{"*", "*"}, {"_", "_"}, {"~", "~"},
                          {"(", ")"}, {"[", "]"}, {"\xEF\xBC\x88", "\xEF\xBC\x89"}};  // （ ）

class place_finder {
public:
    place_finder(marked_text const& text, note_rules const& rules)
        : marked_(text), text_(text.text()), rules_(rules), rows_(read_rows(text)) {}

    placed_notes find() {
        closing_ = find_closing_run(marked_, rows_, !rules_.only_at_the_end);
        // Code that shows a note elsewhere says what code is for in this answer.
        auto const rows = std::span(rows_).first(closing_);
        if (std::ranges::any_of(rows, &note_row::shows_note))
            closing_ = find_closing_run(marked_, rows_, false);
        for (std::size_t i = 0; i < rows_.size(); ++i)
            for (auto& one : rows_[i].notes)
                one.counts = counts(i, one);
        for (std::size_t i = 0; i < rows_.size();)
            i = cut_rows(i);
        return std::move(result_);
    }

private:
    bool counts(std::size_t row, note_candidate const& one) const;
    std::size_t cut_rows(std::size_t first);
    std::size_t cut_fence(std::size_t first);
    void cut_inside(note_row const& one, bool closes);
    note_cut with_wraps(note_cut cut, std::size_t from, std::size_t to) const;
    void add_notes(note_row const& one);

    marked_text const& marked_;
    std::string_view text_;
    note_rules const& rules_;
    std::vector<note_row> rows_;
    std::size_t closing_ = 0;  // index of the first row that belongs to the closing run as a whole
    placed_notes result_;
};

bool place_finder::counts(std::size_t row, note_candidate const& one) const {
    auto const& in = rows_[row];
    bool const in_run = row >= closing_ || (row + 1 == closing_ && in.tail != note_row::no_tail &&
                                            one.at.begin >= in.notes[in.tail].at.begin);
    if (!in_run) {
        if (rules_.only_at_the_end || one.half) return false;
        if (in.notes_only ? in.code : !is_countable(text_, in, one)) return false;
    }
    return !rules_.was_given || !rules_.was_given(one.at);
}

bool all_count(note_row const& one) {
    return std::ranges::all_of(one.notes, [](note_candidate const& note) { return note.counts; });
}

// Cuts what counts in the row, or in the code that begins with it. The row behind.
std::size_t place_finder::cut_rows(std::size_t first) {
    auto const& one = rows_[first];
    if (first >= closing_ && one.is == kind::fence && marked_.lines()[one.first_line].opens_fence) {
        auto const behind = cut_fence(first);
        if (behind > first) return behind;
    }
    if (one.notes_only && all_count(one)) {
        result_.cuts.push_back({one.begin, one.end});
        add_notes(one);
    } else {
        bool const closes = first + 1 == closing_ && one.tail != note_row::no_tail && one.notes.back().counts;
        cut_inside(one, closes);
    }
    return first + 1;
}

// Cuts a fence of which all counts. The row behind; `first` if something in it stays.
std::size_t place_finder::cut_fence(std::size_t first) {
    auto last = first + 1;
    for (; last < rows_.size() && rows_[last].is != kind::fence; ++last)
        if (!all_count(rows_[last])) return first;
    auto const end = std::min(last, rows_.size() - 1);
    result_.cuts.push_back({rows_[first].begin, rows_[end].end});
    for (auto i = first; i <= end; ++i)
        add_notes(rows_[i]);
    return end + 1;
}

void place_finder::add_notes(note_row const& one) {
    for (auto const& note : one.notes) {
        if (!note.counts) continue;
        if (note.half)
            ++result_.halves;
        else
            result_.notes.push_back(note.at);
    }
}

// Notes with nothing but blanks between them leave together. In front of the closing run, beginnings of notes
// belong to it.
void place_finder::cut_inside(note_row const& one, bool closes) {
    add_notes(one);
    std::vector<note_cut> cuts;
    for (auto const& note : one.notes) {
        if (!note.counts) continue;
        bool const joined = !cuts.empty() && skip_blanks(text_, cuts.back().end) == note.at.begin;
        if (!joined) cuts.push_back({note.at.begin, note.at.end});
        cuts.back().end = note.at.end;
    }
    for (auto const& cut : cuts) {
        auto const least = result_.cuts.empty() ? one.begin : std::max(one.begin, result_.cuts.back().end);
        auto wide = with_wraps(cut, least, one.end);
        bool const last = &cut == &cuts.back();
        for (std::size_t half = 0; closes && last; wide.begin = half, ++result_.halves) {
            half = half_opening_before(text_, wide.begin, least, shortest_half(marked_));
            if (half == wide.begin) break;
        }
        result_.cuts.push_back(wide);
    }
}

// With the emphasis and the brackets that stand on both sides.
note_cut place_finder::with_wraps(note_cut cut, std::size_t from, std::size_t to) const {
    for (bool more = true; more;) {
        more = false;
        for (auto const& wrap : wraps) {
            bool const emphasis = is_emphasis(wrap.left[0]);
            auto const left = emphasis ? cut.begin : std::max(from, blanks_before(text_, cut.begin));
            auto const right = emphasis ? cut.end : std::min(to, skip_blanks(text_, cut.end));
            auto const before = text_.substr(from, left - from);
            auto const behind = text_.substr(right, to - right);
            if (!before.ends_with(wrap.left) || !behind.starts_with(wrap.right)) continue;
            if (wrap.left == "(" && before.ends_with("](")) continue;  // makes what is before it a link
            cut = {left - wrap.left.size(), right + wrap.right.size()};
            more = true;
        }
    }
    return cut;
}

}  // namespace

placed_notes find_notes(marked_text const& text, note_rules const& rules) {
    return place_finder(text, rules).find();
}

}  // namespace engram::workers
