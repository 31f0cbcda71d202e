// Where a server is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace engram::http {

struct base_url {
    bool tls = true;
    std::string host;  ///< lower case, without the brackets of an IPv6 address
    std::uint16_t port = 443;
    std::string path;  ///< "" or "/something", never with a slash at its end

    /// For the host header: the port only where it is not the scheme's own.
    [[nodiscard]] std::string authority() const;
    /// True for loopback names and addresses.
    [[nodiscard]] bool is_local() const;
};

/// Reads `https://host[:port][/path]` or `http://…`. User names, queries and fragments are refused: none of
/// them could have the effect that its writer hoped for. Throws std::invalid_argument, which calls the text
/// `name` and says what is wrong.
[[nodiscard]] base_url parse_base_url(std::string_view text, std::string_view name = "the address");

}  // namespace engram::http
