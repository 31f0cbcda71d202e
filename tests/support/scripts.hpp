// What a scripted server often does, and HTTP answers as text.
#pragma once

#include "support/scripted_server.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace engram::tests {

/// A whole HTTP answer. `headers` are whole lines ("a: b\r\n").
[[nodiscard]] std::string http_answer(int status, std::string_view body, std::string_view headers = {});

/// Answers requests on one connection with these bytes, in order, then waits for the client to close.
[[nodiscard]] script answers(std::vector<std::string> replies);
/// Answers with these bytes and closes.
[[nodiscard]] script answers_and_closes(std::string reply);
/// Answers the first request with these bytes, and closes `delay` after the second one has come.
[[nodiscard]] script answers_then_closes_later(std::string reply, std::chrono::milliseconds delay);
/// Reads a request and never answers.
[[nodiscard]] script stalls();

}  // namespace engram::tests
