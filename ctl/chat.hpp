// `engramctl chat` and `engramctl send`: a conversation over Redis, from any machine.
#pragma once

#include "ctl/connection.hpp"

#include <chrono>
#include <string>

namespace engram::ctl {

struct chat_request {
    std::string prefix = "engram";
    std::string user;
    std::string session;                ///< empty: a new one is made
    std::chrono::seconds timeout{600};  ///< for one answer
    bool json = false;
};

/// Reads lines from standard input until `quit` or its end. Returns an exit code of sysexits.h, that of the
/// last message: 0, EX_TEMPFAIL (no answer, or an error worth another try) or EX_DATAERR (it would be refused
/// again).
[[nodiscard]] int run_chat(connection& redis, chat_request request);

/// Sends one message and prints the answer.
[[nodiscard]] int run_send(connection& redis, chat_request request, std::string const& message);

}  // namespace engram::ctl
