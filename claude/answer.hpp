// Reads the body of a good answer. Pure.
#pragma once

#include "base/result.hpp"
#include "claude/client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace engram::claude {

struct parsed_answer {
    claude::answer answer;  ///< without request id and attempts
    std::string
        pause_content;  ///< with stop reason "pause_turn": the content as received, a JSON array; else ""
};

struct unreadable {
    std::string why;  ///< the end of a sentence about the answer
};

/// Content blocks are chosen by their type, others than text passed over. All but `content` may be absent or
/// null. `asked_model` stands in where the server names none.
[[nodiscard]] base::result<parsed_answer, unreadable> parse_answer(std::string_view body,
                                                                   std::string_view asked_model,
                                                                   std::vector<price> const& own_prices);

}  // namespace engram::claude
