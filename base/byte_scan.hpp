// Long texts in which few bytes matter.
#pragma once

#include <cstddef>
#include <string_view>

namespace engram::base {

/// The first byte from `at` on that `matters`, or text.size(). `matters`: unsigned char to bool, without
/// branches, so that the compiler can look at a whole block at once. REQUIRES: at <= text.size().
template <class Test>
[[nodiscard]] std::size_t find_byte(std::string_view text, std::size_t at, Test matters) {
    constexpr std::size_t block = 32;
    for (; at + block <= text.size(); at += block) {
        unsigned char any = 0;
        for (std::size_t i = 0; i < block; ++i)
            any |= static_cast<unsigned char>(matters(static_cast<unsigned char>(text[at + i])));
        if (any) break;
    }
    while (at < text.size() && !matters(static_cast<unsigned char>(text[at])))
        ++at;
    return at;
}

}  // namespace engram::base
