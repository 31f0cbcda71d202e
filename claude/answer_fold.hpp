// The events of an answer, as the Messages API has them, and the answer that they add up to. No I/O.
#pragma once

#include "base/result.hpp"
#include "claude/asker.hpp"
#include "claude/options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::claude {

struct unreadable {
    std::string why;  ///< the end of a sentence about the answer
};

/// None: the event does not say.
struct token_counts {
    std::optional<std::int64_t> input, output, cache_read, cache_creation;
};

// What the events point to is needed until add() returns.
struct message_start {
    std::string_view model;  ///< "": not said
    token_counts used;
};
struct block_start {
    bool is_text = true;
};
/// Whole characters of UTF-8.
struct text_delta {
    std::string_view text;
};
struct block_stop {};
/// What it says replaces what was said before.
struct message_delta {
    std::string_view stop_reason;  ///< "": not said
    token_counts used;
};
struct message_stop {};

/// An answer is one message, or several where it paused: each goes on where the one before it was whole.
///
/// States: expecting → in_message (message_start) → in_text or in_other (block_start) → in_message
/// (block_stop) → whole (message_stop) → expecting (expect_next). An event that cannot come now leads to
/// broken. restart() leads from any state but whole to expecting.
class answer_fold {
public:
    /// All must outlive it. `asked_model` stands in where the server names none.
    answer_fold(std::string_view asked_model, std::vector<price> const& own_prices, listener& hears)
        : asked_model_(asked_model), own_prices_(own_prices), hears_(hears) {}

    void add(message_start const& start);
    void add(block_start const& start);
    void add(text_delta const& delta);
    void add(block_stop const& stop);
    void add(message_delta const& delta);
    void add(message_stop const& stop);

    /// What keeps the message from being whole, if anything.
    [[nodiscard]] std::optional<unreadable> problem() const;
    /// Of the message that came last.
    [[nodiscard]] usage const& last_usage() const { return used_; }
    /// Of the message: text, or a block of another kind.
    [[nodiscard]] bool has_output() const { return has_output_; }
    /// The message is asked for again: what came of it is dropped. The listener is told if it heard any.
    void restart();
    /// Another message is to be added. REQUIRES: the last one is whole.
    void expect_next() { state_ = state::expecting; }

    /// The server's name for the request of the last message.
    void set_request_id(std::string id) { answer_.request_id = std::move(id); }
    /// Once; without attempts. REQUIRES: the last message is whole.
    [[nodiscard]] answer take() { return std::move(answer_); }

private:
    enum class state { expecting, in_message, in_text, in_other, whole, broken };
    bool go(state from, state to);

    std::string_view asked_model_;
    std::vector<price> const& own_prices_;
    listener& hears_;
    state state_ = state::expecting;
    answer answer_;                 // its usage and cost are those of whole messages
    std::size_t whole_blocks_ = 0;  // of whole messages
    bool cost_is_known_ = true;     // likewise
    // Of the message that is coming:
    usage used_;
    bool has_output_ = false;
    bool was_heard_ = false;
};

}  // namespace engram::claude
