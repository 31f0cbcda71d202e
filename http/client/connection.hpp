// One connection to a server: TCP, with TLS or without.
//
// States: new → open() → idle ⇄ exchange() → destroyed. One coroutine uses it at a time. Every wait ends at
// the deadline given to the call: one timer a connection, which stays armed from one call to the next rather
// than be moved for each, and closes nothing but only ends the wait.
#pragma once

#include "base/clock.hpp"
#include "http/client/reply_reader.hpp"
#include "net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::http {

enum class io_end {
    ok,
    closed,     ///< the peer or the network ended the connection
    timed_out,  ///< the deadline came
    failed,     ///< anything else: certificate, garbage …
};

/// How open() or exchange() ended.
struct io_outcome {
    io_end end = io_end::ok;
    std::string what = {};

    [[nodiscard]] bool ok() const { return end == io_end::ok; }
};

class connection : public std::enable_shared_from_this<connection> {
public:
    /// `tls` may be null: plain. It must outlive the connection.
    connection(boost::asio::any_io_executor executor, net::tls_context* tls);

    /// Tries the addresses in order, each but the last with half of the time that is left. Throws on
    /// cancellation.
    boost::asio::awaitable<io_outcome> open(std::vector<boost::asio::ip::tcp::endpoint> addresses,
                                            base::steady_time until);

    /// Sends `wire` and reads one answer, through `scratch`, which is used only while this coroutine runs and
    /// may be shared by all connections. Anything but ok leaves a connection that is good for nothing more.
    /// Throws on cancellation.
    boost::asio::awaitable<io_outcome> exchange(std::string_view wire, reply_reader& reader,
                                                std::span<char> scratch, base::steady_time until);

    /// For an idle connection: nothing has come, neither bytes nor an end.
    [[nodiscard]] bool is_quiet();

    [[nodiscard]] boost::asio::ip::tcp::endpoint const& remote() const { return remote_; }
    [[nodiscard]] bool resumed() const { return tls_ && tls_->resumed(); }

private:
    boost::asio::awaitable<io_outcome> connect(boost::asio::ip::tcp::endpoint address);
    boost::asio::awaitable<io_outcome> shake_hands();
    boost::asio::awaitable<io_outcome> send(std::string_view wire);
    boost::asio::awaitable<io_outcome> wait(boost::asio::ip::tcp::socket::wait_type what);
    /// What became of the answer with the bytes that `step` read; none: it goes on.
    static std::optional<io_outcome> take(net::io_step&& step, std::span<char const> scratch,
                                          reply_reader& reader);
    net::io_step read_some(std::span<char> into);
    net::io_step write_some(std::string_view bytes);
    void set_deadline(base::steady_time until);
    void watch_deadline();
    void deadline_passed();
    void set_socket_options();

    net::tls_context* context_;
    boost::asio::ip::tcp::socket socket_;
    std::optional<net::tls_session> tls_;  // after the socket: it says goodbye over it
    boost::asio::ip::tcp::endpoint remote_;
    boost::asio::steady_timer timer_;
    base::steady_time deadline_ = base::steady_time::max();
    bool watching_ = false;  // the timer is armed
    bool expired_ = false;   // the deadline of the present call has passed
};

}  // namespace engram::http
