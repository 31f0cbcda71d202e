// Which of the model's notes in one answer are looked at. Pure.
//
// A note about a memory that the prompt did not show is left out: its number comes from somewhere else, such
// as an example.
// What becomes of a note is decided in the write transaction, which everybody waits for, by comparing it with
// the user's memories: an answer of thousands of notes, or a note as long as a book, must not get there.
#pragma once

#include "workers/chat/memory_tags.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace engram::workers {

/// A memory as a prompt showed it.
struct shown_memory {
    std::int64_t label = 0;
    std::string type;
};

struct note_limits {
    std::size_t bytes;  ///< of one note's content
    std::size_t notes;  ///< of one answer, beside those that forget
};

struct notes_left_out {
    std::size_t too_long = 0;
    std::size_t too_many = 0;
    std::size_t not_shown = 0;
};

/// Takes out of `tags` those that are too long, as a whole: half of a sentence may say the opposite; those
/// about memories that were not shown; and what says again what was said already. Of the others the first
/// stay, and all that forget: these are as few as the memories that were shown.
[[nodiscard]] notes_left_out apply_limits(note_limits const& limits, std::span<shown_memory const> shown,
                                          std::vector<memory_tag>& tags);

/// Since the daemon's start, for its status.
struct note_counts {
    std::uint64_t cut = 0;       ///< answers that were cut, perhaps with notes
    std::uint64_t too_long = 0;  ///< notes
    std::uint64_t too_many = 0;  ///< notes
};

}  // namespace engram::workers
