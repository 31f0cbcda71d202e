// What stands between the brackets of a note. Pure. Grammar in docs/memory-tags.md.
#pragma once

#include "workers/chat/memory_tags.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace engram::workers {

struct note_body {
    std::string head;          ///< what is before the bar, in plain form and without blanks at its ends
    std::string_view content;  ///< what is behind it, as it was written
    bool has_bar = false;
};

[[nodiscard]] note_body split_body(std::string_view body);

/// The note; none if it is malformed. The type is as it was written, in lower case.
[[nodiscard]] std::optional<memory_tag> read_body(std::string_view body);

/// Whether read_body() finds a note and no bracket stands before its bar. Reads no further than needed for
/// that: to the bar, a bracket, or the first character of the content.
[[nodiscard]] bool is_well_formed(std::string_view body);

}  // namespace engram::workers
