// One byte stream to a server: TCP, with TLS or without, or a Unix socket.
//
// States: new → open() or open_local() → reading and writing → destroyed, which closes it. After an outcome
// other than ok the stream cannot be used any more. At most one coroutine reads and one writes at a time. All
// calls from one executor. What waits throws on cancellation.
//
// A deadline holds for all waits of the stream. There is one timer, which stays armed from one deadline to
// the next rather than be moved for each; when it fires it ends the waits and closes nothing.
#pragma once

#include "base/clock.hpp"
#include "net/io.hpp"
#include "net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::net {

/// Owned by a shared_ptr, for its timer.
class stream : public std::enable_shared_from_this<stream> {
public:
    /// With `tls`, open() ends with a handshake.
    explicit stream(boost::asio::any_io_executor executor, std::shared_ptr<tls_host> tls = nullptr);

    /// Tries the addresses in order, each but the last with half of the time that is left, so that an address
    /// that never answers does not use up the time of the next.
    boost::asio::awaitable<io_outcome> open(std::vector<boost::asio::ip::tcp::endpoint> addresses,
                                            base::steady_time until);
    boost::asio::awaitable<io_outcome> open_local(std::string path, base::steady_time until);

    /// For every wait from now on; base::steady_time::max(): none, as at the beginning and after open().
    void set_deadline(base::steady_time until);

    struct received {
        io_outcome outcome;
        std::size_t bytes = 0;
    };
    /// Waits for bytes.
    boost::asio::awaitable<received> read_some(std::span<char> into);
    /// All of `bytes`, which must live until it returns.
    boost::asio::awaitable<io_outcome> write(std::string_view bytes);

    /// Reads what is there, without waiting. After want_read or want_write: wait() for that and try again. So
    /// a caller holds no buffer while it waits.
    [[nodiscard]] io_step try_read(std::span<char> into);
    /// `what` is io::want_read or io::want_write.
    boost::asio::awaitable<io_outcome> wait(io what);
    /// Nothing has come, neither bytes nor an end.
    [[nodiscard]] bool is_quiet();

    [[nodiscard]] bool has_tls() const { return host_ != nullptr; }
    /// The address that open() has connected to.
    [[nodiscard]] boost::asio::ip::tcp::endpoint remote() const;

private:
    using protocol = boost::asio::generic::stream_protocol;

    boost::asio::awaitable<io_outcome> connect(protocol::endpoint address);
    boost::asio::awaitable<io_outcome> shake_hands();
    boost::asio::awaitable<received> read_some_over_tls(std::span<char> into);
    [[nodiscard]] io_step try_write(std::string_view bytes);
    [[nodiscard]] io_outcome outcome_of(boost::system::error_code error) const;
    void watch_deadline();
    void deadline_passed();
    void set_socket_options();

    std::shared_ptr<tls_host> host_;
    protocol::socket socket_;
    std::optional<tls_session> tls_;  // after the socket: it says goodbye over it
    boost::asio::steady_timer timer_;
    base::steady_time deadline_ = base::steady_time::max();
    bool watching_ = false;  // the timer is armed
    bool expired_ = false;   // the present deadline has passed
};

}  // namespace engram::net
