// The hash of a stem, as entries and the neighbour table hold it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace engram::recall {

/// FNV-1a of 64 bits.
[[nodiscard]] constexpr std::uint64_t wide_hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (char const c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    return hash;
}

/// Its halves xored. Never to be changed: it is stored.
[[nodiscard]] constexpr std::uint32_t hash_of(std::string_view bytes) {
    auto const hash = wide_hash_of(bytes);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

/// Numbers in entries and files are little-endian, at any address.
[[nodiscard]] inline std::uint32_t read_u32(char const* at) {
    auto const* byte = reinterpret_cast<unsigned char const*>(at);
    return std::uint32_t{byte[0]} | std::uint32_t{byte[1]} << 8 | std::uint32_t{byte[2]} << 16 |
           std::uint32_t{byte[3]} << 24;
}

inline void append_u32(std::string& to, std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8)
        to += static_cast<char>(number >> shift & 0xFF);
}

}  // namespace engram::recall
