// An answer as server-sent events.
#pragma once

#include "answer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace engram::simulator {

/// Events that may go out together; `tokens` of them are to be paced.
struct frame {
    std::string text;
    unsigned tokens = 0;
};

/// All events of the answer, in order. Text comes in deltas of about `tokens_a_delta` tokens.
[[nodiscard]] std::vector<frame> stream_frames(answer const& a, unsigned tokens_a_delta);

/// One event on the wire; `data` is JSON without line breaks.
void append_event(std::string& out, std::string_view name, std::string_view data);

}  // namespace engram::simulator
