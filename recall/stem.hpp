// The form under which a word is found.
#pragma once

#include <string>
#include <string_view>

namespace engram::recall {

/// Porter's algorithm (1980) on a lower-case word; words with anything but a-z and very short ones stay.
void apply_porter(std::string& word);

/// The stem of a folded word: irregular forms ("went": go), else Porter's. Above 64 bytes: the word itself.
[[nodiscard]] std::string stem_of(std::string_view word);

}  // namespace engram::recall
