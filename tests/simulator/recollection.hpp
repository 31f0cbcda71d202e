// What a prompt says about the user: its memory lines and the earlier turns. The assistant knows nothing
// else.
#pragma once

#include "messages_request.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace engram::simulator {

struct recollection {
    std::vector<std::string> memories;  ///< contents of memory lines, oldest (lowest number) first
    std::vector<std::string> stated;    ///< statements of earlier user turns, oldest first
    std::vector<std::string> noted;     ///< contents of memory tags in earlier assistant turns

    /// Everything known, the newest first, nothing twice.
    [[nodiscard]] std::vector<std::string> newest_first() const;
    /// True if the sentence is known already, in these words.
    [[nodiscard]] bool knows(std::string_view sentence) const;
};

[[nodiscard]] recollection recollect(messages_request const& r);

/// The contents of the memory lines in a text, such as `- #12 (fact, 2026-11-23) The user's name is Ada`,
/// ordered by number. Other lines are passed over, above all those that explain memory tags.
[[nodiscard]] std::vector<std::string> find_memory_lines(std::string_view text);

/// Undoes how a prompt writes what could disturb it: line breaks as \n, angle and square brackets as
/// entities. A line break becomes a semicolon.
[[nodiscard]] std::string unescape(std::string_view content);

/// The text without its memory lines: the instructions.
[[nodiscard]] std::string without_memory_lines(std::string_view text);

}  // namespace engram::simulator
