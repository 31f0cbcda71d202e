// What Claude is asked: the prompt of a chat turn and of a summary. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "claude/client.hpp"
#include "store/store.hpp"
#include "workers/options.hpp"

namespace engram::workers {

/// Stable first, changing last: system = instructions, then the user's memories (fenced and escaped: data, never
/// instructions, never a tag); messages = the turns of the window, blank ones left out, neighbours of one role
/// merged, beginning with a user turn; the last text block of the last user message is `message`, unchanged.
[[nodiscard]] claude::request compose_chat(chat_options const& options, store::context const& context,
                                           std::string_view message);

/// Asks for the turns in three to five points, with the earlier summaries of the session as background.
[[nodiscard]] claude::request compose_summary(summary_options const& options, store::summary_task const& task);

/// `text` so that it can stand inside a fenced block: no angle bracket, no square bracket that could begin a tag,
/// no line break, no control character.
[[nodiscard]] std::string escape_data(std::string_view text);

}  // namespace engram::workers
