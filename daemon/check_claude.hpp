// Whether the Messages API would answer: reached, key taken, models there.
#pragma once

#include "base/secret.hpp"
#include "claude/error.hpp"
#include "claude/model_info.hpp"
#include "daemon/config.hpp"
#include "daemon/finding.hpp"
#include "daemon/model_watch.hpp"

#include <boost/asio/awaitable.hpp>

namespace engram::daemon {

/// Asks for each model in use, ten seconds each at most, and what time it is there. Never sends a message, so
/// that nothing is billed. Throws on cancellation, and std::invalid_argument or std::runtime_error for an
/// address or certificates that cannot be used.
boost::asio::awaitable<findings> check_claude(config const& config, base::secret key);

/// What the API's answer about a model means. `is_needed`: if it is gone, no other one
/// is left for chats.
[[nodiscard]] finding judge_model(used_model const& one, claude::result<claude::model_info> const& told,
                                  bool is_needed, base::wall_time now);

/// Whether the next model would get the same answer.
[[nodiscard]] bool concerns_all_models(claude::error const& why);

}  // namespace engram::daemon
