// Text of a script without blanks, taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

struct run_part {
    std::u32string text;
    bool rare = false;  ///< in no list of everyday words: most names
};

/// The everyday words of a run (tokens.hpp) that say something, and what is left between them. A run of
/// Katakana is one part.
[[nodiscard]] std::vector<run_part> parts_of_run(std::u32string_view run);

}  // namespace engram::recall
