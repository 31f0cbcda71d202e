// How much of what the model notes in one answer is looked at. Pure.
//
// What becomes of a note is decided in the write transaction, which everybody waits for, by comparing it with
// the user's memories: an answer of thousands of notes, or a note as long as a book, must not get there.
#pragma once

#include "workers/chat/memory_tags.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engram::workers {

struct note_limits {
    std::size_t bytes;  ///< of one note's content
    std::size_t notes;  ///< of one answer
};

struct notes_left_out {
    std::size_t too_long = 0;
    std::size_t too_many = 0;
};

/// Takes out of `tags` those that are too long, as a whole: half of a sentence may say the opposite. Of the
/// others the first stay.
[[nodiscard]] notes_left_out apply_limits(note_limits const& limits, std::vector<memory_tag>& tags);

/// Since the daemon's start, for its status.
struct note_counts {
    std::uint64_t cut = 0;       ///< answers that were cut, perhaps with notes
    std::uint64_t too_long = 0;  ///< notes
    std::uint64_t too_many = 0;  ///< notes
};

}  // namespace engram::workers
