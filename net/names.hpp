// The addresses of one host.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/io.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <vector>

namespace engram::net {

struct lookup_failure {
    io_end end = io_end::failed;  ///< timed_out, lacking or failed
    std::string what = {};
};

/// Looks the host up off the event loop (Asio's resolver thread) and keeps the result; a host that is an
/// address is its own result. One lookup at a time, whoever asks: a lookup cannot be ended once the system's
/// resolver has begun it, so callers wait beside it and leave when their time is up; one that could not be
/// begun is a failure like any other, and the next caller begins anew. A result older than 30 seconds is
/// still given out while a new one is fetched, unless connecting to it has failed (forget()). All calls from
/// one executor; must outlive its callers.
class names {
public:
    names(boost::asio::any_io_executor executor, std::string host, std::uint16_t port);
    ~names();
    names(names const&) = delete;
    names& operator=(names const&) = delete;

    using addresses = std::vector<boost::asio::ip::tcp::endpoint>;
    boost::asio::awaitable<base::result<addresses, lookup_failure>> find(base::steady_time until);

    /// This address works: it comes first from now on, also after the next lookup.
    void prefer(boost::asio::ip::tcp::endpoint const& address);
    /// None of the addresses works: the next caller waits for a new lookup.
    void forget();

private:
    struct state;
    std::shared_ptr<state> state_;  // shared with the lookup under way, which may outlive this
};

}  // namespace engram::net
