// Why a call brought no answer.
#pragma once

#include "base/result.hpp"

#include <string>

namespace engram::claude {

enum class error_kind {
    auth,         ///< 401, or 403 with an API error body: the key is not accepted
    spend_limit,  ///< 402, low credit, spend limits: nothing works until an operator or the month changes it
    rejected,     ///< the request itself is refused (400, 404, 413, 422 …): the same one never works
    unavailable,  ///< no usable answer after all retries
    deadline,     ///< the caller's deadline came first
};

struct error {
    error_kind kind = error_kind::unavailable;
    std::string message;  ///< what the server said, with status and request id; never the key
    int status = 0;       ///< HTTP status of the last try; 0: none arrived
    unsigned attempts = 0;
};

template <class T>
using result = base::result<T, error>;

/// What may go into the log about `why`: what a server says may repeat what a user said, so its status stands
/// for its words.
[[nodiscard]] std::string loggable(error const& why);

}  // namespace engram::claude
