// What each path answers. Nothing here waits: a delivery says what the connection has to do.
#pragma once

#include "delivery.hpp"
#include "http_request.hpp"
#include "world.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace engram::simulator {

/// /control/wait: the answer is made when the waiting is over.
struct count_wait {
    std::uint64_t count = 0;
    std::chrono::milliseconds timeout{0};
};

using routed = std::variant<delivery, count_wait>;

/// Answers any request; records those under /v1, whose body it takes away. `keep_alive` is what the client
/// wants.
[[nodiscard]] routed route(world& w, http_request& r, bool keep_alive);

/// POST /v1/messages and /v1/messages/count_tokens, after authentication.
[[nodiscard]] delivery answer_messages(world& w, http_request const& r, api_version version,
                                       std::string const& request_id, bool keep_alive);
[[nodiscard]] delivery answer_count_tokens(world& w, http_request const& r, api_version version,
                                           std::string const& request_id, bool keep_alive);

/// Everything under /control.
[[nodiscard]] routed answer_control(world& w, http_request const& r, bool keep_alive);
[[nodiscard]] delivery answer_count_wait(world& w, count_wait const& c, bool keep_alive);

/// A complete answer without faults. `id` may be empty: no request-id.
[[nodiscard]] delivery plain_delivery(world& w, int status, std::string body, std::string_view id,
                                      bool keep_alive);
[[nodiscard]] delivery error_delivery(world& w, api_error const& e, std::string_view id, bool keep_alive);

/// Status line and the lines that every answer has.
[[nodiscard]] std::string head_lines(int status, std::string_view content_type, std::string_view id,
                                     bool keep_alive);

}  // namespace engram::simulator
