// The words by which people tell dates, in the larger languages.
#pragma once

#include <cstdint>
#include <string_view>

namespace engram::recall {

/// What a word can mean in a date; a word of several languages may mean several things ("mar": March, the
/// sea, Tuesday).
struct date_word {
    enum class span : std::uint8_t { none, day, week, month, year };

    int month = 0;           ///< 1 to 12
    bool doubtful = false;   ///< the month: also an ordinary word, or an abbreviation
    bool risky = false;      ///< the month: also a very common word ("out", "des")
    int weekday = 0;         ///< 1 (Monday) to 7
    bool short_day = false;  ///< the weekday: an abbreviation
    int days_back = -1;      ///< "today": 0, "yesterday": 1; -1: nothing of the kind
    span unit = span::none;
    int number = -1;                             ///< "a", "two"
    bool last = false, running = false;          ///< "last", "this"
    bool ago_before = false, ago_after = false;  ///< of a number of days: "vor", "ago"
    bool of = false;                             ///< joins day, month and year: "of", "de"
    bool at = false;                             ///< may stand before a month or a weekday: "in", "on"
};

/// Of a folded word (words.hpp). Nothing of a word that is none.
[[nodiscard]] date_word const& date_word_of(std::string_view word);

/// The same for scripts without blanks, whose words are found inside of the text.
struct date_phrase {
    std::string_view text;  ///< UTF-8
    enum class meaning : std::uint8_t { days_back, last, running, weekday } is;
    int value;  ///< days; date_word::span; 1 to 7
};

/// The phrase with which the text begins; null if there is none.
[[nodiscard]] date_phrase const* date_phrase_at(std::string_view text);

}  // namespace engram::recall
