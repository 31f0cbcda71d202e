// A text as words: maximal runs of letters and digits, folded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

enum class marks : std::uint8_t { strip, keep };

/// One word of a text, folded (case, compatibility forms), and where it stands in the text.
struct word {
    std::string_view text;  ///< valid until the next word is read
    std::size_t begin;
    std::size_t end;
};

/// Reads a text word by word. Bytes that are no UTF-8 separate words, as do apostrophes ("user's": user, s).
///
/// Scripts without blanks (Han, Hiragana, Katakana, Thai, Hangul) come as overlapping pairs of characters.
/// Combining marks are stripped if asked, except where they are vowels (the scripts of India and its
/// neighbours). With them goes what else people leave out or write in another way: the dot of a Turkish i, a
/// stroke through a letter, whether a syllable is katakana or hiragana, which of their forms Arabic letters
/// have, and which script's digits a number is written in.
class word_reader {
public:
    /// `text` must outlive this.
    explicit word_reader(std::string_view text, marks with = marks::strip) : text_(text), marks_(with) {}

    [[nodiscard]] bool next(word& one);

private:
    enum class kind : std::uint8_t { separator, letter, mark, joiner, paired };
    struct character {
        std::int32_t code;
        std::size_t bytes;
        kind is;
    };

    [[nodiscard]] character look() const;
    void read_word();
    void read_run();
    void give_pair(word& one);
    void fold(std::int32_t code);

    std::string_view text_;
    marks marks_;
    std::size_t at_ = 0;
    std::string folded_;
    std::size_t run_begin_ = 0;
    std::vector<std::int32_t> run_;  ///< characters of a script without blanks, not yet given
    std::size_t given_ = 0;
};

/// Length of the prefix "Name: " of a text, 0 if it has none.
[[nodiscard]] std::size_t speaker_prefix(std::string_view text);

/// Whether the text's last character is a question mark, blanks aside.
[[nodiscard]] bool is_question(std::string_view text);

}  // namespace engram::recall
