// The assistant behind the simulator when no script says what to answer: a handful of rules.
#pragma once

#include "messages_request.hpp"

#include <string>

namespace engram::simulator {

/// What it says ends with this, before any memory tag.
inline constexpr std::string_view simulation_mark = "(simulated reply)";

/// A chat turn: answers from the prompt alone, and where the system text explains memory tags adds one line
/// `[MEMORY: type|content]` for each thing that the new message states and the prompt does not know yet.
/// A request for a summary gets three to five points.
[[nodiscard]] std::string answer_by_rules(messages_request const& r);

/// True if the system text (its memory lines aside) asks for a summary, or, without a word of memory tags,
/// the messages do.
[[nodiscard]] bool asks_for_summary(messages_request const& r);

/// Three to five points, each a line "- ...", made out of the turns in the request.
[[nodiscard]] std::string summarize_by_rules(messages_request const& r);

}  // namespace engram::simulator
