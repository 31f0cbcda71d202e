// An entry, read in place.
#pragma once

#include "recall/entry.hpp"
#include "recall/hash.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace engram::recall {

struct entry_flags {
    static constexpr std::uint8_t voice_bits = 3, first_person = 4, question = 8, time_word = 16,
                                  speaker = 32, all = 63;
};

inline constexpr std::size_t most_stems = 2'000;  ///< of a part
inline constexpr std::size_t most_parts = 8;      ///< of an entry

/// Views a part's bytes, which must outlive this.
struct part_view {
    std::uint8_t flags = 0;
    std::uint32_t speaker = 0;     ///< 0 without the flag
    std::string_view hashes = {};  ///< 4 bytes each

    [[nodiscard]] voice by() const { return static_cast<voice>(flags & entry_flags::voice_bits); }
    [[nodiscard]] std::size_t size() const { return hashes.size() / 4; }
    [[nodiscard]] std::uint32_t operator[](std::size_t i) const { return read_u32(hashes.data() + 4 * i); }
};

/// Views the entry's bytes, which must outlive this.
class entry_view {
public:
    /// Nothing if the bytes are no entry of this version.
    [[nodiscard]] static std::optional<entry_view> of(std::string_view bytes) {
        if (bytes.size() < 2 || static_cast<std::uint8_t>(bytes[0]) != entry_version) return {};
        bytes.remove_prefix(1);
        entry_view entry;
        while (!bytes.empty()) {
            if (entry.size_ == most_parts || !entry.take_part(bytes)) return {};
        }
        return entry;
    }

    /// At least one.
    [[nodiscard]] std::span<part_view const> parts() const { return std::span(parts_).first(size_); }

private:
    bool take_part(std::string_view& bytes) {
        part_view part{static_cast<std::uint8_t>(bytes[0])};
        if ((part.flags & ~entry_flags::all) != 0 || part.by() > voice::memory) return false;
        std::size_t at = 1;
        if ((part.flags & entry_flags::speaker) != 0) {
            if (bytes.size() < 5) return false;
            part.speaker = read_u32(bytes.data() + 1);
            at = 5;
        }
        if (bytes.size() < at + 2) return false;
        std::size_t const stems = static_cast<unsigned char>(bytes[at]) +
                                  std::size_t{256} * static_cast<unsigned char>(bytes[at + 1]);
        at += 2;
        if (stems > most_stems || bytes.size() - at < 4 * stems) return false;
        part.hashes = bytes.substr(at, 4 * stems);
        bytes.remove_prefix(at + 4 * stems);
        parts_[size_++] = part;
        return true;
    }

    std::array<part_view, most_parts> parts_ = {};
    std::size_t size_ = 0;
};

}  // namespace engram::recall
