// The table of nearest stems.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace engram::recall {

/// The table of nearest stems ("dog": "puppy", "cat", …); a read-only file mapped into memory.
///
/// The file (made by make_word_neighbours), numbers little-endian, S stems, N neighbours, T bytes of text:
///   16     "engram.words.1\n\0"
///   12     S, N, T: u32 each; S <= 65,535
///   4 S    hash of each stem (hash.hpp), ascending: a stem's place here is its number
///   4 S+4  where each stem's neighbours begin among the N, ascending; the last is N
///   4 S+4  where each stem's word begins in the text, ascending; the last is T
///   3 N    neighbours, the nearest first: number of the stem u16, nearness u8 = 255 * (cosine - .5) / .5
///   T      words: for each stem the most frequent word that has it, to be shown
class word_neighbours {
public:
    /// Throws std::runtime_error: absent or not such a file.
    static std::unique_ptr<word_neighbours> open(std::string const& path);
    ~word_neighbours();
    word_neighbours(word_neighbours const&) = delete;
    word_neighbours& operator=(word_neighbours const&) = delete;

    struct neighbour {
        std::uint16_t stem;
        float nearness;  ///< 0 (cosine .5) to 1
    };
    static constexpr std::size_t most = 32;  ///< neighbours of a stem

    [[nodiscard]] std::size_t size() const { return stems_; }
    [[nodiscard]] std::optional<std::uint16_t> find(std::uint32_t stem_hash) const;
    [[nodiscard]] std::uint32_t hash(std::uint16_t stem) const;
    [[nodiscard]] std::string_view word(std::uint16_t stem) const;
    [[nodiscard]] std::size_t count(std::uint16_t stem) const;  ///< of neighbours
    [[nodiscard]] neighbour at(std::uint16_t stem, std::size_t index) const;

private:
    word_neighbours(void* bytes, std::size_t size);
    void check() const;
    [[nodiscard]] std::uint32_t hash_at(std::size_t i) const;
    [[nodiscard]] std::uint32_t pair_at(std::size_t i) const;
    [[nodiscard]] std::uint32_t text_at(std::size_t i) const;
    [[nodiscard]] char const* pairs() const;
    [[nodiscard]] std::uint16_t stem_at(std::size_t pair) const;

    char const* bytes_;
    std::size_t size_;
    std::size_t stems_ = 0, pairs_ = 0, text_ = 0;
};

}  // namespace engram::recall
