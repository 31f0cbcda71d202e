// How long a text is for a model, without asking one.
#pragma once

#include <cstddef>
#include <string_view>

namespace engram::base {

/// Tokens, on the safe side: four bytes of ASCII, or one other character, are one.
[[nodiscard]] constexpr std::size_t estimate_tokens(std::string_view text) {
    std::size_t ascii = 0, others = 0;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        ascii += byte < 0x80 ? 1 : 0;
        others += byte >= 0xC0 ? 1 : 0;
    }
    return (ascii + 3) / 4 + others;
}

}  // namespace engram::base
