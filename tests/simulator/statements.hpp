// What a user states about himself in a message, as the sentences a memory would keep. Pure rules, no
// learning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engram::simulator {

struct statement {
    std::string type;     ///< fact or preference
    std::string content;  ///< one line without square brackets: "The user's name is Ada"
};

/// In order of appearance, each once, at most ten. Questions, quotations and memory tags inside the message
/// state nothing.
[[nodiscard]] std::vector<statement> find_statements(std::string_view message);

/// Lower case, blanks single, no closing period: equal for sentences that say the same in the same words.
[[nodiscard]] std::string same_form(std::string_view sentence);

/// One line, no square brackets, at most `bytes`: safe to repeat in an answer, where it can pose as no tag.
[[nodiscard]] std::string harmless(std::string_view text, std::size_t bytes);

}  // namespace engram::simulator
