// How a message falls into sentences, clauses and words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engram::simulator {

[[nodiscard]] bool is_word(char c);

/// Typographic apostrophes become plain ones, memory tags and quotations blanks.
[[nodiscard]] std::string plain(std::string_view message);

/// A sentence ends at a line break, or at . ! ? ; that a blank follows: "node.js" and "3.5" hold together.
[[nodiscard]] std::size_t sentence_end(std::string_view text, std::size_t from);

/// Where in a sentence (in lower case) the asking begins: "My name is Ada, what is yours?" states something
/// before it. Zero if it asks from the beginning.
[[nodiscard]] std::size_t question_start(std::string_view sentence);

/// A value ends where the next clause begins. `lower` is `text` in lower case.
[[nodiscard]] std::string_view value_of(std::string_view text, std::string_view lower);

[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);

}  // namespace engram::simulator
