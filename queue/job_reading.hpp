// A chat job as its sender meant it, however it was pushed. Pure.
#pragma once

#include "queue/job.hpp"

#include <string_view>

namespace engram::queue {

/// The job of `bytes`, after what is harmless in them was repaired (pushed_json.hpp); one that parse_job()
/// reads is read the same. `metadata` is then what was repaired. A message of which nothing is left counts as
/// blank. If it is no job, `partial` has id, reply_to, user_id and session_id as far as they can be read at
/// all: what waits for a reply there is told what is wrong. `readable` as in parse_job(), of what was
/// repaired.
[[nodiscard]] base::result<job, job_error> read_any_job(std::string_view bytes, job_limits const& limits);

/// id, reply_to, user_id and session_id of a text that may be no JSON; what is not valid by itself counts as
/// absent.
[[nodiscard]] job find_address(std::string_view bytes, job_limits const& limits);

}  // namespace engram::queue
