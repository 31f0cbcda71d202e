// Finds `[MEMORY: ...]` in text. Knows where tags begin and end, not what they mean and not how the text
// looks without them. Grammar in docs/memory-tags.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

[[nodiscard]] constexpr bool is_blank_byte(char c) {
    return c == ' ' || c == '\t';
}

/// `text` without blanks (space, tab) at its ends.
[[nodiscard]] std::string_view trim_blanks(std::string_view text);

/// Recognizes the opening `[` MEMORY `:` byte by byte. It reads the text that stays: when a tag was cut out,
/// its reading goes on with what stood before the tag, so that two halves meeting at a cut are recognized
/// too.
class opening_matcher {
public:
    /// Reads the byte at `position` of the text that stays. True if it completes an opening.
    bool feed(char c, std::size_t position);

    /// Nothing that was read can become an opening any more.
    [[nodiscard]] bool idle() const { return open_.empty(); }
    /// What was read last is a bracket and at least one letter of the word.
    [[nodiscard]] bool has_letters() const { return !open_.empty() && open_.back().letters > 0; }
    /// Where the opening began. REQUIRES: !idle().
    [[nodiscard]] std::size_t begin() const { return open_.back().begin; }
    /// The text from begin() on was cut out. REQUIRES: !idle().
    void forget() { open_.pop_back(); }

private:
    struct candidate {
        std::size_t begin;    // position of the bracket
        std::size_t letters;  // letters of the word read so far
    };
    std::vector<candidate> open_;  // innermost last; an outer one waits for the inner one to be cut out
};

/// Where the tag ends whose opening ends at `from`. `cut`: what should follow the end of `text` is missing.
struct tag_extent {
    std::string_view
        body;         ///< between the opening and the closing bracket; without one: the rest of the line
    std::size_t end;  ///< first byte behind the tag
    bool closed;
};
[[nodiscard]] tag_extent find_tag_end(std::string_view text, std::size_t from, bool cut);

struct scan {
    std::string kept;               ///< the text without its tags
    std::vector<std::size_t> cuts;  ///< where in `kept` something was taken out; ascending, no two alike
    std::vector<std::string_view> bodies;  ///< of the closed tags, in order; views into the scanned text
    std::size_t unfinished = 0;            ///< taken out as well: no end, or put together by another cut
};

/// Linear in the size of `text`, which must outlive the result. Any bytes are fine. `cut`: see
/// extract_memory_tags().
[[nodiscard]] scan scan_tags(std::string_view text, bool cut = false);

}  // namespace engram::workers
