#include "workers/chat/tag_tidy.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace engram::workers {
namespace {

constexpr std::string_view blanks = " \t";

bool sticks_to_a_word(char c) {
    return std::string_view(".,;:!?)").find(c) != std::string_view::npos;
}

/// One line without its end, and the cuts in it (positions in `line`, at least one).
class line_tidier {
public:
    /// Empty if nothing is left that is worth a line.
    static std::string tidy(std::string_view line, std::span<std::size_t const> cuts) {
        line_tidier t(line.substr(0, cuts[0]));
        for (std::size_t i = 0; i < cuts.size(); ++i) {
            auto const next = i + 1 < cuts.size() ? cuts[i + 1] : line.size();
            t.join(line.substr(cuts[i], next - cuts[i]));
        }
        if (t.ends_at_cut_) t.out_.resize(t.out_.find_last_not_of(blanks) + 1);
        return std::move(t.out_);
    }

private:
    explicit line_tidier(std::string_view first)
        : out_(first), has_text_(first.find_first_not_of(blanks) != std::string_view::npos) {}

    // What stands left and right of a cut. Blanks at the beginning of a line are its indentation and stay.
    void join(std::string_view right) {
        auto const text = right.substr(std::min(right.find_first_not_of(blanks), right.size()));
        if (has_text_) join_blanks(right, text);
        out_ += text;
        has_text_ = has_text_ || !text.empty();
        ends_at_cut_ = text.empty();
    }

    void join_blanks(std::string_view right, std::string_view right_text) {
        auto const left_text = out_.find_last_not_of(blanks) + 1;
        bool const blank_left = left_text < out_.size();
        bool const blank_right = right_text.size() < right.size();
        if (!blank_left && !blank_right) return;
        char const blank = blank_left ? out_[left_text] : right[0];
        out_.resize(left_text);
        bool const was_the_tags = !blank_right && !right_text.empty() && sticks_to_a_word(right_text[0]);
        if (!was_the_tags) out_ += blank;
    }

    std::string out_;
    bool has_text_;
    bool ends_at_cut_ = false;
};

/// Puts lines together and decides which blank lines stay between them.
class line_joiner {
public:
    explicit line_joiner(std::string_view kept) : kept_(kept) { out_.reserve(kept.size()); }

    void add_text(std::string_view text, std::string_view line_end) {
        if (!lost_a_line_)
            out_ += current_.in(kept_);
        else if (text_end_ > 0)
            out_ += longest().in(kept_);
        current_ = longest_ = {};
        lost_a_line_ = false;
        out_ += text;
        text_end_ = out_.size();
        out_ += line_end;
    }

    void add_blank(std::size_t begin, std::size_t end) {
        if (current_.lines++ == 0) current_.begin = begin;
        current_.end = end;
    }

    void lose_line() {
        longest_ = longest();
        current_ = {};
        lost_a_line_ = true;
    }

    std::string finish() {
        if (lost_a_line_)
            out_.resize(text_end_);
        else
            out_ += current_.in(kept_);
        return std::move(out_);
    }

private:
    struct blank_lines {
        std::size_t begin = 0, end = 0, lines = 0;
        std::string_view in(std::string_view kept) const { return kept.substr(begin, end - begin); }
    };
    blank_lines longest() const { return current_.lines > longest_.lines ? current_ : longest_; }

    std::string_view kept_;
    std::string out_;
    std::size_t text_end_ = 0;  // behind the last text in out_, before its line end
    // Since that text: blank lines after the last lost line, the longest such run before it.
    blank_lines current_, longest_;
    bool lost_a_line_ = false;
};

}  // namespace

std::string tidy_cuts(std::string_view kept, std::span<std::size_t const> cuts) {
    if (cuts.empty()) return std::string(kept);
    line_joiner joiner(kept);
    std::vector<std::size_t> in_line;
    for (std::size_t begin = 0; begin <= kept.size();) {
        auto const end = std::min(kept.find_first_of("\r\n", begin), kept.size());
        in_line.clear();
        for (; !cuts.empty() && cuts[0] <= end; cuts = cuts.subspan(1))
            in_line.push_back(cuts[0] - begin);
        auto next = end + 1;
        // A CR and an LF with a tag cut out between them are two line ends.
        bool const cut_follows = !cuts.empty() && cuts[0] == next;
        if (next < kept.size() && kept[end] == '\r' && kept[next] == '\n' && !cut_follows) ++next;

        auto const line = kept.substr(begin, end - begin);
        auto const line_end = kept.substr(end, next - end);
        auto const tidied = in_line.empty() ? std::string() : line_tidier::tidy(line, in_line);
        if (!tidied.empty())
            joiner.add_text(tidied, line_end);
        else if (!in_line.empty())
            joiner.lose_line();
        else if (line.find_first_not_of(blanks) == std::string_view::npos)
            joiner.add_blank(begin, std::min(next, kept.size()));
        else
            joiner.add_text(line, line_end);
        begin = next;
    }
    return joiner.finish();
}

}  // namespace engram::workers
