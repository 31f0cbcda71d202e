// Where in an answer notes count, and what leaves the text with them. Pure. Rules in docs/memory-tags.md.
#pragma once

#include "workers/chat/tag_scan.hpp"

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace engram::workers {

/// What a text that was given with the question forbids.
struct note_rules {
    bool only_at_the_end = false;  ///< only the closing run counts, and no code
    /// Whether a note corresponds to something that was given, and so is text. May be empty: none does.
    std::function<bool(note_extent const&)> was_given = {};
};

struct note_cut {
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct placed_notes {
    std::vector<note_extent> notes;  ///< those that count, in order, malformed ones among them
    std::vector<note_cut> cuts;      ///< they, and the marks around them; in order, apart from each other
    std::size_t halves = 0;          ///< beginnings of notes in the cuts that are no note
};

/// Linear in the size of the text, but for what `was_given` takes.
[[nodiscard]] placed_notes find_notes(marked_text const& text, note_rules const& rules);

}  // namespace engram::workers
