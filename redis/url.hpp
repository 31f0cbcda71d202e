// Where Redis is, read from a URL.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace engram::redis {

struct server_address {
    enum class kind { tcp, tls, local };

    server_address::kind kind = server_address::kind::tcp;
    std::string host;  ///< or the path of a Unix socket
    std::uint16_t port = 6379;
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
