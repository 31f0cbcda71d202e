// A text as notes are looked for in it: its lines, which of them are code or quoted, and where a note ends
// that begins at a given opening. Knows nothing of what notes mean or where they count. Grammar in
// docs/memory-tags.md.
#pragma once

#include "workers/chat/note_marks.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace engram::workers {

struct text_line {
    enum class kind : std::uint8_t {
        plain,
        blank,
        quoted,    // "> text"
        indented,  // code: four blanks or more behind a blank line, outside of lists
        fence,     // the marks around a code block
        fenced,    // what is between them
    };
    std::size_t begin = 0;
    std::size_t end = 0;         ///< before its line break
    std::size_t next = 0;        ///< behind its line break
    std::size_t content = 0;     ///< behind indentation, list marks and heading marks
    std::size_t last_close = 0;  ///< behind its last closing bracket; 0: it has none
    text_line::kind is = kind::plain;
    bool opens_fence = false;  ///< of a fence: the first of the two
};

/// A note, from its opening bracket on.
struct note_extent {
    std::size_t begin = 0;
    std::size_t end = 0;        ///< behind its closing bracket; unfinished: the end of its line
    std::size_t last_line = 0;  ///< index of the line in which it ends
    std::string_view body;      ///< between the opening and the closing bracket
    bool closed = false;
    bool balanced = false;  ///< closed by the bracket that balances the opening one
};

/// Made in linear time. The text must outlive it. `cut`: more was to follow, so a note that is open at the
/// end of the text is unfinished and reaches to it.
class marked_text {
public:
    /// Of one note: more is text with a bracket that was never closed.
    static constexpr std::size_t most_lines = 5;

    explicit marked_text(std::string_view text, bool cut = false);

    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] bool is_cut() const { return cut_; }
    [[nodiscard]] std::vector<text_line> const& lines() const { return lines_; }

    /// The note whose opening `whole` begins at `begin`, in line number `line`.
    [[nodiscard]] note_extent read_note(std::size_t begin, opening whole, std::size_t line) const;

private:
    struct bracket {
        std::size_t at = 0;
        std::size_t line = 0;
        std::size_t close = 0;  ///< behind its counterpart; 0: it has none
        std::size_t close_line = 0;
        bool cut_off = false;
    };
    struct block_state;

    void split_lines();
    void classify(text_line& line, block_state& state) const;
    void skip_marks(text_line& line, block_state& state) const;
    void pair_brackets();
    void pair_brackets(std::size_t line, std::vector<std::size_t>& open);

    std::string_view text_;
    bool cut_;
    std::vector<text_line> lines_;
    std::vector<bracket> brackets_;  ///< the opening ones, in order
};

}  // namespace engram::workers
