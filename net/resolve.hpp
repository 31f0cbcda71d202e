// Names to addresses, off the loop and with a deadline.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace engram::net {

using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// The addresses of `host`, in the system's order. A numeric host is answered at once. Otherwise Asio's
/// resolver thread asks the system, and this gives up at `until` even though that question cannot be taken
/// back: its late answer is dropped. The error is a text for people. Throws on cancellation.
boost::asio::awaitable<base::result<endpoints, std::string>> resolve(std::string host, std::uint16_t port,
                                                                     base::steady_time until);

}  // namespace engram::net
