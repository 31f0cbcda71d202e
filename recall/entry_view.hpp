// An entry, read in place.
#pragma once

#include "recall/entry.hpp"
#include "recall/hash.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace engram::recall {

struct entry_flags {
    static constexpr std::uint8_t voice_bits = 3, first_person = 4, question = 8, time_word = 16,
                                  speaker = 32, all = 63;
};

inline constexpr std::size_t most_stems = 2'000;  ///< of a text

/// Views the entry's bytes, which must outlive this.
struct entry_view {
    std::uint8_t flags;
    std::uint32_t speaker;    ///< 0 without the flag
    std::string_view hashes;  ///< 4 bytes each

    [[nodiscard]] voice by() const { return static_cast<voice>(flags & entry_flags::voice_bits); }
    [[nodiscard]] std::size_t size() const { return hashes.size() / 4; }
    [[nodiscard]] std::uint32_t operator[](std::size_t i) const { return read_u32(hashes.data() + 4 * i); }

    /// Nothing if the bytes are no entry of this version.
    [[nodiscard]] static std::optional<entry_view> of(std::string_view bytes) {
        if (bytes.size() < 2 || static_cast<std::uint8_t>(bytes[0]) != entry_version) return {};
        entry_view entry{static_cast<std::uint8_t>(bytes[1]), 0, bytes.substr(2)};
        if ((entry.flags & ~entry_flags::all) != 0 || entry.by() > voice::memory) return {};
        if ((entry.flags & entry_flags::speaker) != 0) {
            if (entry.hashes.size() < 4) return {};
            entry.speaker = entry[0];
            entry.hashes.remove_prefix(4);
        }
        if (entry.hashes.size() % 4 != 0 || entry.size() > most_stems) return {};
        return entry;
    }
};

}  // namespace engram::recall
