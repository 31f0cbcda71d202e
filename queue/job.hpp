// A chat job as a producer pushes it. Pure.
#pragma once

#include "base/result.hpp"

#include <boost/json/fwd.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::queue {

struct job {
    std::string id;  ///< idempotency key; empty: the job named none
    std::string user_id;
    std::string session_id;  ///< empty: a new conversation
    std::string message;
    std::string timezone;  ///< as the job has it; empty: the configured one
    std::string reply_to;  ///< empty: none named, the default applies
    bool stream = false;
    std::optional<std::chrono::milliseconds> deadline;
    std::string metadata = "{}";  ///< the producer's own bytes
};

/// What is wrong with a job, with as much of it as could be read, so that an answer finds its way.
struct job_error {
    std::string message;
    bool readable = false;  ///< it was a JSON object
    job partial;            ///< the fields that were valid
};

struct job_limits {
    std::string_view prefix;                                   ///< P; reply_to may begin with "P:reply:"
    std::vector<std::string> const* reply_prefixes = nullptr;  ///< others allowed; may be null
    std::size_t max_bytes = 262'144;
};

/// Reads and checks a job. Unknown fields are ignored; an optional field that is null counts as absent.
[[nodiscard]] base::result<job, job_error> parse_job(std::string_view bytes, job_limits const& limits);

/// The same of `bytes` that were parsed already, to `object`; whether they are too long is the caller's to
/// say.
[[nodiscard]] base::result<job, job_error> read_job(boost::json::object const& object, std::string_view bytes,
                                                    job_limits const& limits);

/// What is wrong with a job of so many bytes; empty: nothing.
[[nodiscard]] std::string complaint_about_size(std::size_t bytes, job_limits const& limits);

/// "P:reply:<id>".
[[nodiscard]] std::string default_reply_key(std::string_view prefix, std::string_view id);

/// The bytes of the value of top-level member `name`, in an object that is known to be valid JSON; the last
/// one if there are several; empty if there is none.
[[nodiscard]] std::string_view raw_member(std::string_view object, std::string_view name);

}  // namespace engram::queue
