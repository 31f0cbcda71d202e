// The run of notes that closes an answer. Pure. Rules in docs/memory-tags.md.
#pragma once

#include "workers/chat/note_rows.hpp"
#include "workers/chat/tag_scan.hpp"

#include <cstddef>
#include <vector>

namespace engram::workers {

/// Index of the first row of the run; the row before it may end with notes that belong to it (its tail).
/// `with_code`: code that holds nothing but new notes, and is not introduced as an example, is of the run.
[[nodiscard]] std::size_t find_closing_run(marked_text const& text, std::vector<note_row> const& rows,
                                           bool with_code);

}  // namespace engram::workers
