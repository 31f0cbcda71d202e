// One step of a script, or one fault with a probability: what is to happen to a request to POST /v1/messages.
#pragma once

#include "latency.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::simulator {

enum class fault_kind {
    // the connection
    reset,
    close,
    stall,
    truncated,
    garbage_body,
    garbage_http,
    split_frames,
    split_utf8,
    // the stream (a JSON answer: truncated, and status 529)
    cut_stream,
    stream_error,
    // the content
    thinking_first,
    empty_content,
    refusal,
    refusal_mid,
    max_tokens,
    pause_turn,
    unknown_block,
    unknown_event,
    unknown_delta,
    null_usage,
    missing_usage,
    several_deltas,
    invalid_utf8,
    huge_body,
};

/// Where reset, close and stall happen.
enum class fault_point {
    before_reading,  ///< the request line is there, nothing of the request was looked at
    before_reply,    ///< the request was read, nothing is answered
    after_headers,   ///< the head of the answer was sent
    mid_body,        ///< part of the body was sent
    idle,            ///< the answer is complete, the connection idle for `ms`
    next_request,    ///< the answer is complete; happens when the next request arrives on the connection
};

struct header_change {
    std::string name;                  ///< lower case; with a final * all that begin so
    std::optional<std::string> value;  ///< none: removed
};

struct step {
    // Which requests it is for; empty: all.
    std::string match;  ///< a piece of the new message
    std::string match_system;
    std::string model;  ///< a piece of the model's name
    std::optional<bool> stream;
    std::int64_t after_tokens = 0;  ///< only prompts of more tokens than this
    long repeat = 1;                ///< -1: for ever
    double probability = 1;         ///< of a fault

    // What is answered.
    std::optional<std::string> text;
    std::optional<boost::json::array> content;
    std::string stop_reason;
    std::optional<boost::json::value> usage;
    int status = 0;
    std::vector<header_change> headers;
    std::optional<boost::json::value> body;
    std::string error_type, error_message, error_code;
    std::optional<std::int64_t> thinking_tokens;  ///< of max_tokens, spent before the text

    // How.
    std::vector<fault_kind> faults;
    fault_point at = fault_point::before_reply;
    std::optional<std::chrono::milliseconds> pause;  ///< "ms"; a stall without it lasts until the client goes
    std::optional<std::size_t> at_byte;              ///< of the body; otherwise its middle
    std::size_t bytes = 0;                           ///< of huge_body
    bool clean_end = false;                          ///< cut_stream: the HTTP body ends properly
    std::optional<simulator::latency> latency;
    std::optional<double> tokens_per_second;
    std::string hold;

    [[nodiscard]] bool has(fault_kind k) const;
};

/// A failed reading says which member is wrong.
struct step_reading {
    std::optional<simulator::step> step;
    std::string problem;
};

/// From the form that POST /control/script takes (see README.md). Unknown members are refused.
[[nodiscard]] step_reading read_step(boost::json::value const& v);

/// From the command line: `KIND:PROBABILITY[,member=value]…`; KIND is a fault, a status or a name such as
/// overloaded, spend_limit, low_credit.
[[nodiscard]] step_reading read_fault(std::string_view text);

}  // namespace engram::simulator
