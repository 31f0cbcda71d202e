// What may be notes inside a line of text: outside of code, behind no backslash, in no element that shows
// text. Pure. Rules in docs/memory-tags.md.
#pragma once

#include "workers/chat/note_rows.hpp"
#include "workers/chat/quotations.hpp"
#include "workers/chat/tag_scan.hpp"

#include <cstddef>
#include <string_view>

namespace engram::workers {

/// Finds the notes of a row, which is one line before and grows by those that its notes reach into.
void read_inline_notes(marked_text const& text, quoting_elements const& elements, note_row& into);

/// Whether a note inside text counts, apart from the run that closes the answer.
[[nodiscard]] bool is_countable(std::string_view text, note_row const& in, note_candidate const& one);

/// The half of an opening with which the text ends.
[[nodiscard]] note_candidate half_note(std::string_view text, std::size_t at, std::size_t line);

}  // namespace engram::workers
