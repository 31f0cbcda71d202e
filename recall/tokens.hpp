// A text as what can be distinctive in it: words, numbers, and runs of scripts that write no blanks.
//
// Beside word_reader (words.hpp), which is what the search index is made of: here capitals and the way in
// which a number is written count, and a run is not taken apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

enum class script : std::uint8_t {
    cased,    ///< Latin, Greek, Cyrillic and others with capitals; also what is not known
    semitic,  ///< Arabic and Hebrew: something may be written before a word
    hangul,
    unbroken,  ///< Han, kana, Thai, Lao, Khmer, Burmese: no blanks between words
    other,     ///< the scripts of India and others without capitals
};

[[nodiscard]] script script_of(char32_t c);

enum class token_kind : std::uint8_t { word, number, run };

struct token {
    token_kind kind = token_kind::word;
    recall::script script = recall::script::cased;
    /// Folded: no case, compatibility forms, accents; vowel marks stay. Of a number its digits 0-9.
    std::u32string text;
    std::vector<std::u32string> groups;  ///< of a number that is written in more than one: each; at most 16
    bool capital = false;                ///< a capital letter in it
    bool first = false;                  ///< begins the sentence
    bool mixed = false;                  ///< letters and digits, or a capital behind a small letter
};

/// Of one sentence. Bytes that are no UTF-8 separate words.
[[nodiscard]] std::vector<token> tokens_of(std::string_view sentence);

[[nodiscard]] std::string to_utf8(std::u32string_view text);

}  // namespace engram::recall
