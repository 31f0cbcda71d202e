// What of a memory is compared with others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

/// One word, number or symbol of a memory, normalized.
struct mark {
    static constexpr std::uint8_t content = 1;  ///< no stop word
    static constexpr std::uint8_t plain = 2;    ///< an ordinary word: one more of these changes little
    static constexpr std::uint8_t copula = 4;   ///< is, are, am
    static constexpr std::uint8_t name = 8;     ///< capitalized: its form matters
    static constexpr std::uint8_t all = 15;

    std::uint32_t exact;     ///< hash of the word
    std::uint32_t singular;  ///< hash of the word without the -s of plural or third person
    std::uint8_t is;

    [[nodiscard]] bool operator==(mark const& other) const {
        return exact == other.exact || (((is | other.is) & name) == 0 && singular == other.singular);
    }
};

/// The bytes: 1 version; then for each mark 4 exact, 4 singular (little-endian), 1 is.
[[nodiscard]] std::string to_bytes(std::vector<mark> const& marks);
[[nodiscard]] std::optional<std::vector<mark>> marks_of(std::string_view bytes);

}  // namespace engram::recall
