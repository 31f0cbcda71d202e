#include "workers/chat/note_places.hpp"

#include "workers/chat/note_body.hpp"
#include "workers/chat/quotations.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>

namespace engram::workers {
namespace {

using kind = text_line::kind;
constexpr auto npos = std::string_view::npos;
// "a[m" may be the end of an answer; of one that was cut the shortest half is more likely than such an end.
constexpr std::size_t shortest_half_of_whole = 3;
constexpr std::size_t most_blanks = 64;

// A note on its way through the rules.
struct candidate {
    note_extent at;
    bool half = false;
    bool quoted = false;  // in text, with a quotation mark somewhere before it and its partner behind
    bool counts = false;
};

// A line, or several that a note joins.
struct row {
    std::size_t first_line = 0, last_line = 0;
    std::size_t begin = 0, end = 0;
    std::vector<candidate> notes;  // in order
    bool notes_only = false;
    bool code = false;
    bool quoted = false;      // goes on with the quoted line before it
    bool shows_note = false;  // code in it holds what looks like a note
    std::size_t tail = npos;  // index of the note with which the answer's closing run begins in it
};

struct pair {
    std::string_view left, right;
};
constexpr pair wraps[] = {{"*", "*"}, {"_", "_"}, {"~", "~"},
                          {"(", ")"}, {"[", "]"}, {"\xEF\xBC\x88", "\xEF\xBC\x89"}};  // （ ）

bool is_emphasis(char c) {
    return c == '*' || c == '_' || c == '~';
}

/// What may stand around notes that have their line for themselves. Only what has its counterpart, emphasis,
/// and single marks behind or between notes: ";)" and "..." are text.
class shell_reader {
public:
    // Length of what is at the start of `rest` if it may stand there; 0 if it may not.
    std::size_t read(std::string_view rest) {
        if (auto const c = look_at(rest); c.is == mark::blank) {
            behind_ = false;
            return c.bytes;
        }
        if (is_emphasis(rest[0]) || rest[0] == '`') return 1;
        if (auto const bytes = find(opening, rest)) {
            ++open_;
            behind_ = false;
            return bytes;
        }
        if (auto const bytes = find(closing, rest)) return close(rest[0]) ? bytes : 0;
        auto const bytes = find(between, rest);
        return bytes > 0 && separate() ? bytes : 0;
    }

    void pass_note(bool finished) {
        any_ = behind_ = true;
        needs_note_ = false;
        unfinished_ = !finished;
    }

    [[nodiscard]] bool is_complete() const { return !needs_note_ && (open_ == 0 || unfinished_); }

private:
    static constexpr std::string_view opening[] = {"(", "[", "<!--", "\xEF\xBC\x88"};  // （
    static constexpr std::string_view closing[] = {")", "]", "-->", "\xEF\xBC\x89"};   // ）
    static constexpr std::string_view between[] = {
        ",", ";", ".", "\xE3\x80\x81", "\xE3\x80\x82", "\xEF\xBC\x8C", "\xEF\xBC\x9B"};  // 、 。 ， ；

    template <std::size_t Size>
    static std::size_t find(std::string_view const (&in)[Size], std::string_view rest) {
        for (auto const one : in)
            if (rest.starts_with(one)) return one.size();
        return 0;
    }

    // One bracket too many right behind a note is a slip of the model.
    bool close(char c) {
        if (open_ > 0)
            --open_;
        else if (c != ']' || !behind_)
            return false;
        return behind_ = any_;
    }

    bool separate() {
        if (!any_ || needs_note_) return false;
        needs_note_ = !behind_;
        behind_ = false;
        return true;
    }

    std::size_t open_ = 0;
    bool any_ = false;         // a note was read
    bool behind_ = false;      // a note, or what closes around it, is right before
    bool needs_note_ = false;  // a mark that stands apart must have a note behind it
    bool unfinished_ = false;
};

/// The code inside one line: from a run of backticks to the next one of the same length.
class code_spans {
public:
    code_spans(std::string_view text, std::size_t begin, std::size_t end) {
        std::vector<run> runs;
        for (auto at = begin; at < end; ++at) {
            if (text[at] != '`') continue;
            auto length = at;
            while (length < end && text[length] == '`')
                ++length;
            runs.push_back({at, length - at});
            at = length - 1;
        }
        std::map<std::size_t, std::size_t> next;  // by length: where the next run of it ends
        for (auto one = runs.rbegin(); one != runs.rend(); ++one) {
            auto const end_of_run = one->at + one->length;
            auto const found = next.find(one->length);
            ends_.emplace_back(one->at, found == next.end() ? end_of_run : found->second);
            next[one->length] = end_of_run;
        }
        std::ranges::reverse(ends_);
    }

    // Behind the code that begins with the backtick at `at`, or behind the backticks if they begin none.
    [[nodiscard]] std::size_t skip(std::size_t at) const {
        auto const found =
            std::ranges::lower_bound(ends_, at, {}, &std::pair<std::size_t, std::size_t>::first);
        return found == ends_.end() || found->first != at ? at + 1 : found->second;
    }

private:
    struct run {
        std::size_t at, length;
    };
    std::vector<std::pair<std::size_t, std::size_t>> ends_;
};

class reader {
public:
    reader(marked_text const& text, note_rules const& rules)
        : marked_(text),
          text_(text.text()),
          lines_(text.lines()),
          rules_(rules),
          elements_(text),
          shortest_half_(text.is_cut() ? 1 : shortest_half_of_whole) {}

    placed_notes read() {
        for (std::size_t line = 0; line < lines_.size(); line = rows_.back().last_line + 1)
            rows_.push_back(read_row(line));
        closing_ = find_closing_run(!rules_.only_at_the_end);
        // Code that shows a note elsewhere says what code is for in this answer.
        auto const rows = std::span(rows_).first(closing_);
        if (std::ranges::any_of(rows, &row::shows_note)) closing_ = find_closing_run(false);
        for (std::size_t i = 0; i < rows_.size(); ++i)
            for (auto& one : rows_[i].notes)
                one.counts = counts(i, one);
        for (std::size_t i = 0; i < rows_.size();)
            i = cut_rows(i);
        return std::move(result_);
    }

private:
    row read_row(std::size_t line);
    bool read_notes_only(row& into);
    void read_inline(row& into) const;
    void expect_marks(quotation_marks& marks, code_spans const& code, std::size_t line, std::size_t at) const;
    void keep_tail(row& into) const;
    std::optional<candidate> candidate_at(std::size_t at, std::size_t line) const;
    std::size_t behind_run(row const& in, std::size_t first) const;

    std::size_t find_closing_run(bool with_code) const;
    std::size_t first_of_code(std::size_t last) const;
    bool may_be_in_code(note_extent const& note) const;
    bool is_introduced(std::size_t row) const;
    bool counts(std::size_t row, candidate const& one) const;
    bool is_countable(row const& in, candidate const& one) const;

    std::size_t cut_rows(std::size_t first);
    void cut_inside(row const& one, bool closes);
    std::size_t half_before(std::size_t at, std::size_t from, std::size_t least_letters) const;
    note_cut with_wraps(note_cut cut, std::size_t from, std::size_t to) const;
    void add_notes(row const& one);

    [[nodiscard]] kind kind_of(row const& one) const { return lines_[one.first_line].is; }

    marked_text const& marked_;
    std::string_view text_;
    std::vector<text_line> const& lines_;
    note_rules const& rules_;
    quoting_elements elements_;
    std::size_t shortest_half_;  // letters of the word that make the end of the text a half
    std::unordered_set<std::size_t> dead_ends_;
    std::vector<row> rows_;
    std::size_t closing_ = 0;  // index of the first row that belongs to the closing run as a whole
    placed_notes result_;
};

row reader::read_row(std::size_t line) {
    row one;
    one.first_line = one.last_line = line;
    one.begin = lines_[line].begin;
    one.end = lines_[line].end;
    auto const is = lines_[line].is;
    one.code = is == kind::indented || is == kind::fenced;
    if (is == kind::blank || is == kind::quoted || is == kind::fence) return one;
    one.notes_only = !elements_.has(lines_[line].content) && read_notes_only(one);
    if (one.notes_only) {
        // Lines that begin with a list mark begin something new.
        bool const goes_on = is == kind::plain && lines_[line].content == skip_blanks(text_, one.begin);
        one.quoted = goes_on && line > 0 && (kind_of(rows_.back()) == kind::quoted || rows_.back().quoted);
        one.shows_note = one.code;
        if (one.quoted) one.notes.clear();
        one.notes_only = !one.quoted;
    } else if (one.code) {
        one.shows_note = has_opening(text_.substr(one.begin, one.end - one.begin));
    } else {
        read_inline(one);
    }
    return one;
}

std::optional<candidate> reader::candidate_at(std::size_t at, std::size_t line) const {
    auto const found = read_opening(text_, at);
    if (found.is == opening::extent::whole) return candidate{marked_.read_note(at, found, line)};
    if (found.is == opening::extent::none || found.letters < shortest_half_) return std::nullopt;
    return candidate{{at, text_.size(), line, {}, false, false}, true};
}

// A line may go on through notes that end in the next ones, and then fail. What follows a note is the same
// for every line that comes to it, so no note is passed twice in vain.
bool reader::read_notes_only(row& into) {
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

void reader::read_inline(row& into) const {
    if (!has_opening(text_.substr(into.begin, into.end - into.begin))) return;
    auto at = into.begin;
    code_spans code(text_, into.begin, into.end);
    quotation_marks marks(text_, into.begin, into.end);
    expect_marks(marks, code, into.last_line, at);
    auto marks_from = at;
    while (at < into.end) {
        auto const c = look_at(text_.substr(at));
        if (text_[at] == '`') {
            auto const behind = code.skip(at);
            into.shows_note |= has_opening(text_.substr(at, behind - at));
            at = behind;
            continue;
        }
        if (at >= marks_from) marks.see(at);
        // A backslash makes the bracket behind it text.
        if (text_[at] == '\\' && at + 1 < into.end) {
            auto const escaped = look_at(text_.substr(at + 1));
            at += escaped.is == mark::open || text_[at + 1] == '\\' ? 1 + escaped.bytes : 1;
            continue;
        }
        auto const found = c.is == mark::open ? read_opening(text_, at) : opening();
        if (found.is == opening::extent::half && found.letters >= shortest_half_) {
            into.notes.push_back({{at, text_.size(), into.last_line, {}, false, false}, true});
            break;
        }
        if (found.is != opening::extent::whole) {
            at += c.bytes;
            continue;
        }
        if (elements_.has(at)) {
            into.shows_note = true;
            at = found.end;
            continue;
        }
        candidate one{marked_.read_note(at, found, into.last_line)};
        one.quoted = marks.is_open_beyond(one.at.end);
        if (one.at.closed) marks_from = std::max(marks_from, one.at.end);
        at = found.end;
        bool const cut_off = !one.at.closed && one.at.end == text_.size();
        if (cut_off || is_countable(into, one)) {
            at = one.at.end;
            if (one.at.last_line > into.last_line) {
                into.last_line = one.at.last_line;
                into.end = lines_[into.last_line].end;
                code = code_spans(text_, at, into.end);
                marks.extend(into.end);
                expect_marks(marks, code, into.last_line, at);
            }
        }
        into.notes.push_back(std::move(one));
    }
    keep_tail(into);
}

// The marks from `at` to the end of the line, but for those in code and in notes.
void reader::expect_marks(quotation_marks& marks, code_spans const& code, std::size_t line,
                          std::size_t at) const {
    while (at < lines_[line].end) {
        auto const c = look_at(text_.substr(at));
        auto const found = c.is == mark::open ? read_opening(text_, at) : opening();
        if (found.is == opening::extent::whole) {
            auto const note = marked_.read_note(at, found, line);
            at = note.closed ? note.end : found.end;
        } else if (text_[at] == '`') {
            at = code.skip(at);
        } else {
            marks.expect(at);
            at += c.bytes;
        }
    }
}

// Which notes could be in the run that closes the answer: those behind which nothing but notes follows. Where
// brackets do not balance, the last opening of the line is taken for the note.
void reader::keep_tail(row& into) const {
    auto& notes = into.notes;
    for (std::size_t i = 0; i < notes.size();) {
        auto const& one = notes[i].at;
        bool const guessed =
            one.closed && !one.balanced && i + 1 < notes.size() && notes[i + 1].at.begin < one.end;
        auto const end = guessed ? one.begin : behind_run(into, i);
        if (end >= into.end) {
            into.tail = i;
            break;
        }
        do
            ++i;
        while (i < notes.size() && notes[i].at.begin < end);
    }
    if (into.tail == npos) return;
    // What lies inside a note of the run is its content.
    std::size_t end = 0;
    std::size_t kept = into.tail;
    for (auto i = into.tail; i < notes.size(); ++i) {
        if (notes[i].at.begin < end) continue;
        end = notes[i].at.end;
        if (kept != i) notes[kept] = std::move(notes[i]);
        ++kept;
    }
    notes.resize(kept);
}

// Behind the run of notes that begins with note number `first`: the row's end, or text.
std::size_t reader::behind_run(row const& in, std::size_t first) const {
    auto const& notes = in.notes;
    auto at = notes[first].at.end;
    for (auto next = first + 1; at < in.end;) {
        at = std::min(skip_blanks(text_, at), in.end);
        while (next < notes.size() && notes[next].at.begin < at)
            ++next;
        if (next == notes.size() || notes[next].at.begin != at) break;
        at = notes[next].at.end;
    }
    // Emphasis that was opened right before the run.
    for (auto left = notes[first].at.begin;
         at < in.end && left > in.begin && is_emphasis(text_[at]) && text_[left - 1] == text_[at]; --left)
        ++at;
    return std::min(skip_blanks(text_, at), in.end);
}

// Index of the first row of the run that closes the answer; the row before it may end with notes that belong
// to it.
std::size_t reader::find_closing_run(bool with_code) const {
    auto begin = rows_.size();
    while (begin > 0) {
        auto const last = begin - 1;
        auto const& one = rows_[last];
        if (kind_of(one) == kind::blank || (one.notes_only && !one.code)) {
            begin = last;
            continue;
        }
        auto const first = with_code ? first_of_code(last) : npos;
        if (first == npos || is_introduced(first)) break;
        begin = first;
    }
    return begin;
}

// The first row of the code that ends with this one, if it holds nothing but new notes; npos if it holds
// more.
std::size_t reader::first_of_code(std::size_t last) const {
    bool has_notes = false;
    auto const& end = rows_[last];
    bool const in_fence = kind_of(end) == kind::fence || kind_of(end) == kind::fenced;
    if (!in_fence && !(end.code && end.notes_only)) return npos;
    if (kind_of(end) == kind::fence && lines_[end.first_line].opens_fence) return npos;
    for (auto i = kind_of(end) == kind::fence ? last : last + 1; i-- > 0;) {
        auto const& one = rows_[i];
        auto const is = kind_of(one);
        if (in_fence && is == kind::fence) return has_notes ? i : npos;
        bool const empty = in_fence
                               ? text_.substr(one.begin, one.end - one.begin).find_first_not_of(" \t") == npos
                               : is == kind::blank;
        bool const notes =
            one.code && one.notes_only &&
            std::ranges::all_of(one.notes, [&](auto const& note) { return may_be_in_code(note.at); });
        if (!in_fence && !empty && !notes) return has_notes ? i + 1 : npos;
        if (!empty && !notes) return npos;
        has_notes |= notes;
    }
    return in_fence ? npos : 0;
}

// What changes or removes a memory must not be an example. The end of an answer that was cut does neither.
bool reader::may_be_in_code(note_extent const& note) const {
    if (!note.closed) return note.end == text_.size();
    auto const tag = read_body(note.body);
    return tag && tag->what == memory_tag::kind::add;
}

// "Like this:" before code makes it an example.
bool reader::is_introduced(std::size_t first) const {
    while (first > 0 && kind_of(rows_[first - 1]) == kind::blank)
        --first;
    if (first == 0) return false;
    auto line = text_.substr(0, rows_[first - 1].end);
    auto const begin = rows_[first - 1].begin;
    while (line.size() > begin) {
        auto const end = blanks_before(line, line.size());
        line = line.substr(0, end);
        if (line.size() <= begin || !is_emphasis(line.back())) break;
        line.remove_suffix(1);
    }
    for (std::size_t bytes = 1; bytes <= 3 && begin + bytes <= line.size(); ++bytes) {
        auto const c = look_at(line.substr(line.size() - bytes));
        if (c.is == mark::colon && c.bytes == bytes) return true;
    }
    return false;
}

bool reader::counts(std::size_t row, candidate const& one) const {
    auto const& in = rows_[row];
    bool const in_run = row >= closing_ || (row + 1 == closing_ && in.tail != npos &&
                                            one.at.begin >= in.notes[in.tail].at.begin);
    if (!in_run) {
        if (rules_.only_at_the_end || one.half) return false;
        if (in.notes_only ? in.code : !is_countable(in, one)) return false;
    }
    return !rules_.was_given || !rules_.was_given(one.at);
}

// Whether a note inside text counts.
bool reader::is_countable(row const& in, candidate const& one) const {
    if (one.half || one.quoted || !one.at.closed || !is_well_formed(one.at.body)) return false;
    auto const left = text_.substr(0, one.at.begin);
    auto const right = text_.substr(one.at.end);
    // A link, or what somebody said.
    if (right.starts_with('(') || is_between_quotation_marks(left, right)) return false;
    // Without it, what is around it could become a note.
    if (half_before(one.at.begin, in.begin, 1) != one.at.begin) return false;
    auto const text = blanks_before(left, left.size());
    for (std::size_t bytes = 1; bytes <= 3 && in.begin + bytes <= text; ++bytes) {
        auto const c = look_at(left.substr(text - bytes));
        if (c.is != mark::open || c.bytes != bytes) continue;
        auto const behind = skip_blanks(right.substr(0, most_blanks), 0);
        return behind < most_blanks && !to_plain_form(right.substr(behind, 3)).starts_with('m');
    }
    return true;
}

// Where the half of an opening begins that ends at `at`, blanks aside; `at` if there is none.
std::size_t reader::half_before(std::size_t at, std::size_t from, std::size_t least_letters) const {
    constexpr std::size_t longest = 64;
    auto const head = text_.substr(0, at);
    for (auto begin = at; begin > from && at - begin < longest;) {
        --begin;
        auto const c = look_at(head.substr(begin));
        if (c.is == mark::close) break;
        if (c.is != mark::open) continue;
        auto const found = read_opening(head, begin);
        return found.is == opening::extent::half && found.letters >= least_letters ? begin : at;
    }
    return at;
}

// Cuts what counts in the row, or in the code that begins with it. The row behind.
std::size_t reader::cut_rows(std::size_t first) {
    auto const all_count = [](row const& one) {
        return std::ranges::all_of(one.notes, [](candidate const& note) { return note.counts; });
    };
    auto const& one = rows_[first];
    if (first >= closing_ && kind_of(one) == kind::fence && lines_[one.first_line].opens_fence) {
        auto last = first + 1;
        bool whole = true;
        for (; last < rows_.size() && kind_of(rows_[last]) != kind::fence; ++last)
            whole = whole && all_count(rows_[last]);
        auto const end = std::min(last, rows_.size() - 1);
        if (whole) {
            result_.cuts.push_back({one.begin, rows_[end].end});
            for (auto i = first; i <= end; ++i)
                add_notes(rows_[i]);
            return end + 1;
        }
    }
    if (one.notes_only && all_count(one)) {
        result_.cuts.push_back({one.begin, one.end});
        add_notes(one);
    } else {
        cut_inside(one, first + 1 == closing_ && one.tail != npos && one.notes.back().counts);
    }
    return first + 1;
}

void reader::add_notes(row const& one) {
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
void reader::cut_inside(row const& one, bool closes) {
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
            half = half_before(wide.begin, least, shortest_half_);
            if (half == wide.begin) break;
        }
        result_.cuts.push_back(wide);
    }
}

// With the emphasis and the brackets that stand on both sides.
note_cut reader::with_wraps(note_cut cut, std::size_t from, std::size_t to) const {
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
    return reader(text, rules).read();
}

}  // namespace engram::workers
