// What may stand around notes that have their line for themselves: "**[MEMORY: …]**", "([MEMORY: …])". Pure.
// Rules in docs/memory-tags.md.
#pragma once

#include <cstddef>
#include <string_view>

namespace engram::workers {

/// Reads what is around the notes of a line, in order. Only what has its counterpart, emphasis, and single
/// marks behind or between notes may be there: ";)" and "..." are text.
class shell_reader {
public:
    /// Length of what is at the start of `rest` if it may stand there; 0 if it may not.
    [[nodiscard]] std::size_t read(std::string_view rest);
    /// A note is here.
    void pass_note(bool finished);
    /// Whether the line may end here.
    [[nodiscard]] bool is_complete() const { return !needs_note_ && (open_ == 0 || unfinished_); }

private:
    bool close(char c);
    bool separate();

    std::size_t open_ = 0;
    bool any_ = false;         // a note was read
    bool behind_ = false;      // a note, or what closes around it, is right before
    bool needs_note_ = false;  // a mark that stands apart must have a note behind it
    bool unfinished_ = false;
};

}  // namespace engram::workers
