// What Claude is asked: the prompt of a chat turn and of a summary. Pure.
#pragma once

#include "claude/client.hpp"
#include "store/conversations.hpp"
#include "store/summaries.hpp"
#include "workers/options.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace engram::workers {

/// About 75,000 tokens of English, at most 150,000 of other scripts: fits the smallest context of a hosted
/// model (200,000).
inline constexpr std::size_t transcript_bytes = 300'000;

/// What a prompt shows of a context, by id.
struct shown_ids {
    std::unordered_set<std::int64_t> memories;
    std::unordered_set<std::int64_t> found_turns;
};

/// Stable first, changing last: system = instructions with the categories, then the list of the user's
/// memories; messages = the turns of the window, blank ones left out, neighbours of one role merged,
/// beginning with a user turn; then, in the last user message, a block that says what time it is `now`
/// (empty: none), a block with what was found for the message, if anything; the last text block is `message`,
/// unchanged. Memories and found texts are fenced and escaped: data, never instructions, never a tag.
/// `session_id` tells the summaries of this session from those of others. A stored turn that is not UTF-8 is
/// made so; any other goes in byte for byte. `shown`, if it is given, gets what there was room for.
[[nodiscard]] claude::request compose_chat(chat_options const& options, store::context const& context,
                                           std::string_view session_id, std::string_view message,
                                           std::string_view now = {}, shown_ids* shown = nullptr);

/// Leaves in `context` what the prompt shows: what was loaded and found beside that goes, and of a found turn
/// its notes and the middle that was left out.
void keep_shown(store::context& context, shown_ids const& shown);

/// The block with what was found for the message: at most `limit` entries, the best first as far as `tokens`
/// allow, in the order in which they were noted and said, without the memories that are `shown` already.
/// What it has is added to `shown`. Empty if there is nothing.
[[nodiscard]] std::string list_recalled(store::context const& context, shown_ids& shown, std::size_t limit,
                                        std::size_t tokens);

/// Asks for the turns in three to five points, with the earlier summaries of the session as background. Turns
/// below the day on which they were said, without their memory tags, shortened where all together have more
/// than about `bytes`.
[[nodiscard]] claude::request compose_summary(summary_options const& options, store::summary_task const& task,
                                              std::size_t bytes = transcript_bytes);

/// `text` so that it can stand inside a fenced block: valid UTF-8, no angle bracket, no square bracket that
/// could begin a tag, no line break (written as `\n`), no other control character (a blank instead).
[[nodiscard]] std::string escape_data(std::string_view text);

}  // namespace engram::workers
