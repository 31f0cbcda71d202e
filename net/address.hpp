// Where a server is.
#pragma once

#include <cstdint>
#include <string>

namespace engram::net {

struct address {
    enum class kind { tcp, tls, local };

    address::kind kind = address::kind::tcp;
    std::string host;  ///< or the path of a Unix socket
    std::uint16_t port = 0;
};

}  // namespace engram::net
