// One answer of the model before it has a form on the wire, and its JSON forms.
#pragma once

#include "usage.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::simulator {

struct content_block {
    std::string type = "text";  ///< text, thinking or whatever `raw` says
    std::string text;           ///< of text and thinking
    boost::json::object raw;    ///< the block as scripted, for every other type
};

/// Odd things that a client has to live with.
struct oddities {
    bool unknown_event = false;   ///< events nobody knows among the others
    bool unknown_delta = false;   ///< deltas nobody knows among the others
    bool null_usage = false;      ///< usage is null
    bool missing_usage = false;   ///< usage is not there
    bool several_deltas = false;  ///< more than one message_delta
    bool stream_error = false;    ///< an error event instead of the second half
    bool cut = false;             ///< the stream ends before message_stop
};

struct answer {
    std::string id;
    std::string_view model;  ///< static
    std::vector<content_block> content;
    std::string stop_reason = "end_turn";
    std::optional<std::string> stop_sequence;
    std::string refusal_explanation;  ///< non-empty: stop_details
    simulator::usage usage;
    std::optional<boost::json::value> scripted_usage;
    oddities odd;
};

[[nodiscard]] std::string message_json(answer const& a);

/// `"usage":…` in the form of a message, of message_start or of message_delta; empty where it is left out.
enum class usage_form { message, start, delta };
[[nodiscard]] std::string usage_member(answer const& a, usage_form form);

/// Takes what was thought, in tokens, off max_tokens; what is left is for the text, and without any the
/// answer ends before it.
void spend_on_thinking(answer& a, std::int64_t tokens, std::int64_t& max_tokens);

/// Cuts the answer at the first stop sequence and at max_tokens, and sets the stop reason; counts the output.
void apply_limits(answer& a, std::vector<std::string_view> const& stop_sequences, std::int64_t max_tokens);

}  // namespace engram::simulator
