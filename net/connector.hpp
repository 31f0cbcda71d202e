// From an address to a stream.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/address.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace engram::net {

/// For connections to changing addresses: looks the host up each time, and keeps only the certificates that
/// it trusts. (For many connections to one host use names, tls_host and stream.)
class connector {
public:
    /// `with_tls`: whether any address will be of TLS. Then the certificates to trust are read here, see
    /// tls_policy; throws std::runtime_error if they cannot be.
    connector(bool with_tls, std::string const& ca_file);

    /// Name lookup, connection and TLS handshake, until `until`. The error is a text for people. REQUIRES:
    /// with_tls, if the address is of TLS. Throws on cancellation.
    boost::asio::awaitable<base::result<std::shared_ptr<stream>, std::string>> connect(
        address to, base::steady_time until) const;

private:
    std::shared_ptr<tls_policy const> tls_;
};

}  // namespace engram::net
