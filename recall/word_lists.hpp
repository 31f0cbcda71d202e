// The closed lists of English words that the search knows.
#pragma once

#include <string_view>

namespace engram::recall {

[[nodiscard]] bool is_stop_word(std::string_view word);
/// What an apostrophe leaves behind: d ll m re s t ve.
[[nodiscard]] bool is_contraction(std::string_view word);
[[nodiscard]] bool is_first_person(std::string_view word);
[[nodiscard]] bool is_time_word(std::string_view word);
/// The base form of an irregular one ("went": go; "mum": mom), else the word.
[[nodiscard]] std::string_view regular_form(std::string_view word);
/// 1 to 12, 0 if it is none of their names.
[[nodiscard]] int month_number(std::string_view word);
/// 1 (Monday) to 7, 0 if it is none of their names.
[[nodiscard]] int weekday_number(std::string_view word);
/// The number that "a", "two", "12" mean, up to 9,999; -1 if it is none. Words up to twelve.
[[nodiscard]] int number_of(std::string_view word);

}  // namespace engram::recall
