// What the search knows of a word, remembered: most words of most texts are the same few thousand.
#pragma once

#include <cstdint>
#include <string_view>

namespace engram::recall {

struct known_word {
    std::uint32_t stem = 0;  ///< hash of its stem
    bool stop = false;
    bool first_person = false;
    bool time = false;  ///< a word of time, or four digits
};

/// Of a folded word. Each thread remembers some thousands of words, which takes it 64 KiB.
[[nodiscard]] known_word look_up(std::string_view word);

}  // namespace engram::recall
