// How many words of short texts a long text has too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engram::recall {

/// The stems of a text's words, each once, without the words that say nothing by themselves ("the", "and").
[[nodiscard]] std::vector<std::uint32_t> stems_of(std::string_view text);

/// Looks for stems in one text. The text is read once, however many stems are looked for, in parts, and no
/// further than to the last of them.
class shared_words {
public:
    static constexpr std::size_t bytes_a_part = 8'192;  ///< read in well under a millisecond

    /// `text` must outlive this.
    explicit shared_words(std::string_view text) : text_(text) {}

    /// REQUIRES: nothing has been read yet.
    void look_for(std::span<std::uint32_t const> stems);

    /// Reads the next part. False: nothing more needs to be read.
    [[nodiscard]] bool read_part();

    /// Whether the part that was read has this stem. REQUIRES: it was looked for.
    [[nodiscard]] bool has(std::uint32_t stem) const { return found_.at(stem); }

    [[nodiscard]] std::size_t bytes_read() const { return at_; }

private:
    std::string_view text_;
    std::size_t at_ = 0;
    std::unordered_map<std::uint32_t, bool> found_;  ///< by stem
    std::size_t missing_ = 0;                        ///< stems not found so far
};

/// How many of the stems are in at least one of the texts, 0..1; 1 if there are no stems.
[[nodiscard]] double share_within(std::span<std::uint32_t const> stems,
                                  std::initializer_list<shared_words const*> texts);

}  // namespace engram::recall
