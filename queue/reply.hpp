// The final reply of a job, as JSON. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::queue {

struct reply_memory {
    std::int64_t id = 0;
    std::string type;
    std::string content;
    std::string action;
};

struct reply_usage {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::int64_t cache_read_input_tokens = 0;
    std::int64_t cache_creation_input_tokens = 0;
    std::optional<double> cost_usd;  ///< none: null
};

struct reply_timing {
    std::int64_t queued_ms = 0;
    std::int64_t load_ms = 0;
    std::int64_t claude_ms = 0;
    std::int64_t commit_ms = 0;
    std::int64_t total_ms = 0;
};

struct ok_reply {
    std::string id, user_id, session_id, reply, model, stop_reason;
    std::vector<reply_memory> memories;
    reply_usage usage;
    reply_timing timing;
    int attempts = 1;
    bool notes_cut = false;       ///< the answer was cut, perhaps with notes
    std::string metadata = "{}";  ///< raw JSON
};

struct error_reply {
    std::string id, user_id, session_id;  ///< empty: not known, left out
    std::string type;                     ///< contract: invalid_job, id_conflict, deadline_exceeded, …
    std::string message;
    bool retryable = false;
    int attempts = 1;
    std::string metadata = "{}";
};

[[nodiscard]] std::string to_json(ok_reply const& reply);
[[nodiscard]] std::string to_json(error_reply const& reply);

/// `reply` with its `timing_ms` replaced: what is stored was written before the last times were known. A text
/// that is not an ok reply written by to_json() comes back as it is.
[[nodiscard]] std::string with_timing(std::string reply, reply_timing const& timing);

/// A reply as a caller reads it.
struct received_reply {
    bool ok = false;
    std::string id, session_id, reply, stop_reason;
    std::string error_type, error_message;
    bool retryable = false;
};

/// None if `text` is not a reply.
[[nodiscard]] std::optional<received_reply> parse_reply(std::string_view text);

}  // namespace engram::queue
