// What is allowed to one endpoint.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

namespace engram::http {

/// A server that closes a kept connection because nobody used it does so without having read the request that
/// was just sent: the close is seen as soon as it has crossed the network. One that comes later may follow
/// minutes of work, which a paid service bills.
inline constexpr std::chrono::milliseconds died_idle_within{1'000};

struct endpoint_limits {
    std::chrono::milliseconds connect_timeout{5'000};  ///< DNS, TCP and TLS together
    std::chrono::milliseconds idle_timeout{60'000};    ///< an unused connection is closed after this
    std::size_t max_idle_connections = 100;
    std::size_t max_response_bytes = 16 * 1024 * 1024;
    /// A kept connection that is closed so soon after a request was sent had died before.
    std::chrono::milliseconds died_idle_within = http::died_idle_within;
    /// Names of headers to be kept for reply::more; must outlive the endpoint.
    std::span<std::string_view const> more_headers = {};
};

}  // namespace engram::http
