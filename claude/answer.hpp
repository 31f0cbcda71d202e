// Reads the body of a good answer. Pure.
#pragma once

#include "base/result.hpp"
#include "claude/answer_fold.hpp"

#include <string>
#include <string_view>

namespace engram::claude {

struct received_message {
    /// With stop reason "pause_turn": the content as received, a JSON array, to be sent back; else "".
    std::string pause_content;
};

/// Turns a whole message into its events and adds them to `into`. Content blocks are chosen by their type,
/// others than text passed over. All but `content` may be absent or null.
[[nodiscard]] base::result<received_message, unreadable> read_answer(std::string_view body,
                                                                     answer_fold& into);

}  // namespace engram::claude
