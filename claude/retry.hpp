// When to ask again, and how much later if the server says: the rules of the official client libraries. Pure.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace engram::claude {

/// Longest wait that a server may ask for; beyond it our own rule applies, as in the official Python client.
inline constexpr std::chrono::milliseconds longest_server_delay{60'000};

/// `x_should_retry` is that header's value, "" if absent; "true" and "false" decide, else 408, 409, 429 and
/// 5xx.
[[nodiscard]] bool is_retryable(int status, std::string_view x_should_retry);

/// What `retry-after-ms`, else `retry-after` (seconds with a fraction, or an HTTP date) ask for; none if they
/// are absent, unreadable, not positive or longer than longest_server_delay.
[[nodiscard]] std::optional<std::chrono::milliseconds> server_delay(std::string_view retry_after_ms,
                                                                    std::string_view retry_after,
                                                                    base::wall_time now);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (the form that RFC 9110 has senders use).
[[nodiscard]] std::optional<base::wall_time> parse_http_date(std::string_view text);

}  // namespace engram::claude
