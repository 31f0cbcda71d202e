// What the store keeps of a text so that it can be found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace engram::recall {

/// Who a text is of. A memory stands alone; turns have neighbours in their session.
enum class voice : std::uint8_t { user, assistant, memory };

/// One text of several that are found together: a message and the answer to it.
struct part {
    std::string_view text;
    voice by = voice::user;
};

inline constexpr std::uint32_t entry_version = 2;  ///< grows when entries must be made anew

/// What is kept of a text for finding it: hashes of its stems, its length, flags. No text, a few bytes a
/// word.
///
/// Any bytes are fine. Only the first 2,000 stems are kept. Bytes, numbers little-endian:
///   1  entry_version
/// and for each part, in the order given:
///   1  flags: voice (bits 0-1), first person (2), ends with a question mark (3), time word (4), speaker (5)
///   4  only with flag "speaker": hash of the lower-case first word of the prefix "Name: "
///   2  number of stems
///   4  each stem, in order: its hash (hash.hpp: FNV-1a of 64 bits, its halves xored)
[[nodiscard]] std::string make_entry(std::string_view text, voice by);

/// Of an exchange: the message, then the answer. A part without text has nothing to be found by; of such
/// parts alone the entry is that of an empty text. Of more than 8 parts, neighbours of one voice become one,
/// and what is still beyond goes into the last.
[[nodiscard]] std::string make_entry(std::span<part const> parts);

}  // namespace engram::recall
