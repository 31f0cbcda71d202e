// One host that is asked over HTTP/1.1, with the connections to it.
#pragma once

#include "base/clock.hpp"
#include "http/client/limits.hpp"
#include "http/client/pool.hpp"
#include "http/client/reply_reader.hpp"
#include "http/url.hpp"
#include "net/io.hpp"
#include "net/names.hpp"
#include "net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace engram::http {

using net::io_end;
using net::io_outcome;

/// All calls from one executor; must outlive its exchanges.
class endpoint {
public:
    /// `ca_file`: see net::tls_policy. Throws std::runtime_error if it cannot be read.
    endpoint(base_url url, std::string const& ca_file, endpoint_limits limits,
             boost::asio::any_io_executor executor);

    /// Sends `wire`, a whole request that must stay valid meanwhile, and puts the answer, whatever its
    /// status, into `into`. A request that a kept connection could not take because it had died is sent again
    /// at once on a new one: sending failed, or the connection was closed within
    /// endpoint_limits::died_idle_within, before the first byte of an answer. Throws on cancellation.
    boost::asio::awaitable<io_outcome> exchange(std::string_view wire, std::unique_ptr<reply>& into,
                                                base::steady_time until);

    /// After io_end::lacking: until a connection of another exchange is free, or `until`. Throws on
    /// cancellation.
    boost::asio::awaitable<void> wait_for_connection(base::steady_time until) {
        return pool_.wait_for_free(until);
    }

    /// Closes idle connections and lets no new one idle.
    void close() { pool_.close(); }

    [[nodiscard]] base_url const& url() const { return url_; }
    [[nodiscard]] std::size_t connections() const { return pool_.connections(); }
    [[nodiscard]] std::size_t idle() const { return pool_.idle(); }
    /// Requests sent since the start.
    [[nodiscard]] std::uint64_t requests() const { return requests_; }

private:
    base_url url_;
    endpoint_limits limits_;
    std::shared_ptr<net::tls_host> tls_;  // null: plain
    net::names names_;
    pool pool_;
    std::vector<char> scratch_;  // what connections read through, one at a time
    std::uint64_t requests_ = 0;
};

}  // namespace engram::http
