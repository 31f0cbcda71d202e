// Why a call brought no answer.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace engram::claude {

enum class error_kind {
    auth,         ///< every request: the key is not accepted, or may not do this
    spend_limit,  ///< every request: credit, a spend limit, a usage limit set by the customer
    on_hold,      ///< every request: the organization is disabled or on hold
    no_api,  ///< every request: something else than the API answered (a page of the network edge, a redirect)
    model_gone,   ///< every request for this model: unknown or retired
    too_long,     ///< this request: more than the model's context holds
    rejected,     ///< this request is refused; the same one never works
    unavailable,  ///< no usable answer after all quick tries
    deadline,     ///< the caller's deadline came first
    busy,  ///< nothing failed: the provider takes no more calls now, and this one has waited long enough
};

struct error {
    error_kind kind = error_kind::unavailable;
    std::string message;  ///< what the server said, with status and request id; never the key
    int status = 0;       ///< HTTP status of the last try; 0: none arrived
    unsigned attempts = 0;
    /// What may be logged of it: `error.type` of the API or "type/error_code". Where no usable answer came
    /// "no_connection", "timed_out", "cut", "unreadable" or "local_lack". May be empty.
    std::string code = {};
    std::string wording = {};  ///< the API's sentence, if it is a known one, in our words; for the log
    bool passes = false;       ///< the same request may work later
    std::optional<std::chrono::milliseconds> wait = {};  ///< the server's wish, at most 60 s
};

template <class T>
using result = base::result<T, error>;

/// Whether it concerns every request, so that the gate shuts.
[[nodiscard]] bool concerns_all(error_kind kind);

/// What may go into the log about `why`: what a server says may repeat what a user said, so its status and
/// its code stand for its words, as in "HTTP status 529 overloaded_error"; a sentence that is known stands
/// behind them. The message if no answer arrived.
[[nodiscard]] std::string loggable(error const& why);

}  // namespace engram::claude
