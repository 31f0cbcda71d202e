// An answer as rows of text and of what may be notes in them; whether these count is for note_places.hpp to
// say. Pure. Rules in docs/memory-tags.md.
#pragma once

#include "workers/chat/tag_scan.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace engram::workers {

/// What may be a note.
struct note_candidate {
    note_extent at;
    bool half = false;    ///< the text ends in its opening
    bool quoted = false;  ///< in text, with a quotation mark somewhere before it and its partner behind
    bool counts = false;  ///< decided last
};

/// A line, or several that a note joins.
struct note_row {
    static constexpr std::size_t no_tail = std::string_view::npos;

    std::size_t first_line = 0, last_line = 0;
    std::size_t begin = 0, end = 0;
    text_line::kind is = text_line::kind::plain;  ///< the first line
    std::vector<note_candidate> notes;            ///< in order
    bool notes_only = false;
    bool code = false;
    bool quoted = false;         ///< goes on with the quoted line before it
    bool shows_note = false;     ///< code in it holds what looks like a note
    std::size_t tail = no_tail;  ///< index of the note with which the answer's closing run begins in it
};

/// Linear in the size of the text.
[[nodiscard]] std::vector<note_row> read_rows(marked_text const& text);

/// How many letters of the word an opening must have to be a half at the end of this text.
[[nodiscard]] std::size_t shortest_half(marked_text const& text);

}  // namespace engram::workers
