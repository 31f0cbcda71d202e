// Where Redis is, read from a URL.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/address.hpp"

#include <string>
#include <string_view>

namespace engram::redis {

/// A Redis or a Sentinel, and how to log in there.
struct server_address : net::address {
    server_address() { port = 6379; }

    std::string user;
    base::secret password;
    int db = 0;

    /// For logs: no password.
    [[nodiscard]] std::string to_text() const;
};

/// Reads `redis://`, `rediss://` and `unix://` URLs (see options::url); user, password and path may be
/// percent-encoded. The error says what is wrong and never repeats the password.
[[nodiscard]] base::result<server_address, std::string> parse_url(std::string_view url);

}  // namespace engram::redis
