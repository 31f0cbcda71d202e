#include "connection.hpp"

#include "endpoints.hpp"
#include "world.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include <memory>
#include <optional>
#include <sys/socket.h>

namespace engram::simulator {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using tls_stream = asio::ssl::stream<tcp::socket>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// States of a connection: reading a request -> (waiting: gate, latency) -> performing actions -> reading …
// `open_` turns false once and for all; every loop ends by it. While an answer waits, the socket is watched,
// so that a client that goes away ends the wait.
template <class Stream>
class connection : public std::enable_shared_from_this<connection<Stream>> {
public:
    connection(Stream stream, world& w)
        : stream_(std::move(stream)), timer_(stream_.get_executor()), world_(w) {
        ++world_.stats.connections;
        ++world_.stats.open_connections;
    }
    ~connection() { --world_.stats.open_connections; }
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    asio::awaitable<void> run() {
        if constexpr (std::is_same_v<Stream, tls_stream>) {
            auto const [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
            if (ec) co_return;
        }
        while (open_) {
            http_request request;
            auto const keep_alive = co_await read_request(request);
            if (!open_) break;
            co_await answer(request, keep_alive);
        }
        finish();
    }

private:
    auto& socket() { return stream_.lowest_layer(); }

    /// Returns whether the client wants to go on. `open_` is false if there is no request.
    asio::awaitable<bool> read_request(http_request& into) {
        request_reader reader(into, world_.recorder.on());
        bool looked_ahead = false;
        while (true) {
            if (used_ < buffer_.size()) {
                if (!looked_ahead && look_ahead(looked_ahead)) co_return false;
                error_code ec;
                auto const taken =
                    reader.put(asio::buffer(buffer_.data() + used_, buffer_.size() - used_), ec);
                used_ += taken;
                if (reader.is_done()) break;
                if (ec && ec != http::error::need_more) {
                    co_await refuse(ec);
                    co_return false;
                }
                if (reader.is_header_done() && into.expects_continue) {
                    into.expects_continue = false;
                    co_await send("HTTP/1.1 100 Continue\r\n\r\n");
                }
            }
            co_await read_some();
            if (!open_) co_return false;
        }
        co_return reader.keep_alive();
    }

    asio::awaitable<void> read_some() {
        // What was parsed is dropped; what a request left over stays in front.
        buffer_.erase(0, used_);
        used_ = 0;
        auto const kept = buffer_.size();
        auto const room = kept == 0 ? first_read : later_read;
        buffer_.resize(kept + room);
        auto const [ec, n] =
            co_await stream_.async_read_some(asio::buffer(buffer_.data() + kept, room), as_result);
        buffer_.resize(kept + n);
        if (ec) open_ = false;
        if (!ec && doomed_) break_off();
    }

    /// Faults that strike before a request is read, as soon as its first line is there.
    bool look_ahead(bool& done) {
        constexpr std::string_view line = "POST /v1/messages ";
        constexpr std::string_view beta = "POST /v1/messages?";
        auto const here = std::string_view(buffer_).substr(used_);
        if (here.size() < line.size()) return false;
        done = true;
        if (!here.starts_with(line) && !here.starts_with(beta)) return false;
        auto const s = world_.script.take_before_reading(world_.random);
        if (!s) return false;
        ++world_.stats.requests;
        world_.recorder.add({0, "POST", "/v1/messages", {}, {}, false});
        world_.count_message();
        if (s->has(fault_kind::reset))
            break_off();
        else
            open_ = false;
        return true;
    }

    asio::awaitable<void> refuse(error_code ec) {
        bool const too_large = ec == http::error::body_limit;
        auto const e = too_large ? error_for_status(413) : invalid_request("malformed HTTP: " + ec.message());
        auto d = error_delivery(world_, e, {}, false);
        ++world_.stats.by_status[e.status];
        for (auto& a : d.actions) {
            if (!open_) break;
            co_await send(a.bytes);
        }
        open_ = false;
    }

    asio::awaitable<void> answer(http_request& request, bool keep_alive) {
        auto routed = route(world_, request, keep_alive);
        if (auto const* wait = std::get_if<count_wait>(&routed)) {
            auto const what = *wait;
            co_await wait_for_count(what);
            if (!open_) co_return;
            routed = answer_count_wait(world_, what, keep_alive);
        }
        in_flight const counted(world_, std::get<delivery>(routed).is_message);
        request = {};
        release_memory(std::get<delivery>(routed));
        co_await deliver(std::get<delivery>(routed));
    }

    asio::awaitable<void> deliver(delivery& d) {
        if (!d.hold.empty()) co_await wait_at_gate(d.hold);
        if (open_ && d.latency.count() > 0) {
            timer_.expires_after(d.latency);
            co_await wait_watching();
        }
        if (!open_) co_return;
        if (!d.written.empty()) world_.cache.publish(d.written);
        if (d.is_message) ++world_.stats.by_status[d.status];
        for (auto& a : d.actions) {
            co_await perform(a);
            if (!open_) co_return;
        }
        if (!d.keep_alive) open_ = false;
    }

    asio::awaitable<void> perform(action& a) {
        switch (a.what) {
            case action::kind::send:
                co_await send(a.bytes);
                break;
            case action::kind::pause:
                timer_.expires_after(a.time);
                co_await wait_watching();
                break;
            case action::kind::stall:
                timer_.expires_at(asio::steady_timer::time_point::max());
                co_await wait_watching();
                break;
            case action::kind::reset:
                break_off();
                break;
            case action::kind::close:
                open_ = false;
                break;
            case action::kind::doom:
                doomed_ = true;
                break;
        }
    }

    asio::awaitable<void> send(std::string_view bytes) {
        auto const [ec, n] =
            co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), as_result);
        if (ec) open_ = false;
    }

    asio::awaitable<void> wait_at_gate(std::string const& gate) {
        timer_.expires_at(asio::steady_timer::time_point::max());
        waiting_room::ticket const ticket(world_.room, gate, timer_);
        co_await wait_watching();
    }

    asio::awaitable<void> wait_for_count(count_wait const& what) {
        if (world_.stats.messages >= what.count) co_return;
        timer_.expires_after(what.timeout);
        waiting_room::ticket const ticket(world_.room, what.count, timer_);
        co_await wait_watching();
    }

    /// Waits for the timer; ends early, with `open_` false, if the client goes.
    asio::awaitable<void> wait_watching() {
        auto const watch_number = ++watch_;
        socket().async_wait(tcp::socket::wait_read,
                            [self = this->shared_from_this(), watch_number](error_code ec) {
                                if (!ec && self->watch_ == watch_number && self->client_is_gone()) {
                                    self->open_ = false;
                                    self->timer_.cancel();
                                }
                            });
        auto const [ec] = co_await timer_.async_wait(as_result);
        static_cast<void>(ec);  // cancelled: released, or the client is gone
        ++watch_;
        error_code ignored;
        socket().cancel(ignored);
    }

    /// Called when the socket is readable although the client has nothing to say.
    bool client_is_gone() {
        char peeked[64];
        auto const n = ::recv(socket().native_handle(), peeked, sizeof peeked, MSG_PEEK | MSG_DONTWAIT);
        if (n < 0) return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
        // In TLS a record this small can only be the alert that says good-bye.
        return n == 0 || (std::is_same_v<Stream, tls_stream> && n <= 31);
    }

    /// What waits shall be small, and what was large is not kept.
    void release_memory(delivery const& d) {
        bool const waits = !d.hold.empty() || d.latency.count() > 0;
        if (used_ != buffer_.size() || (!waits && buffer_.capacity() <= 2 * later_read)) return;
        buffer_ = {};
        used_ = 0;
    }

    void break_off() {
        ++world_.stats.resets;
        open_ = false;
        broken_ = true;
        error_code ignored;
        socket().set_option(asio::socket_base::linger(true, 0), ignored);
        socket().close(ignored);
    }

    void finish() {
        if (broken_) return;
        error_code ignored;
        socket().shutdown(tcp::socket::shutdown_send, ignored);
        drain();
        socket().close(ignored);
    }

    /// Closing with unread bytes would send RST in place of FIN.
    void drain() {
        char bytes[16384];
        for (int i = 0; i < 64 && ::recv(socket().native_handle(), bytes, sizeof bytes, MSG_DONTWAIT) > 0;
             ++i) {
        }
    }

    struct in_flight {
        in_flight(world& w, bool counts) : world_(w), counts_(counts) {
            if (!counts_) return;
            ++world_.stats.in_flight;
            world_.stats.max_in_flight = std::max(world_.stats.max_in_flight, world_.stats.in_flight);
        }
        ~in_flight() {
            if (counts_) --world_.stats.in_flight;
        }
        in_flight(in_flight const&) = delete;
        in_flight& operator=(in_flight const&) = delete;

    private:
        world& world_;
        bool counts_;
    };

    static constexpr std::size_t first_read = 8 * 1024;
    static constexpr std::size_t later_read = 64 * 1024;

    Stream stream_;
    asio::steady_timer timer_;
    world& world_;
    std::string buffer_;
    std::size_t used_ = 0;  ///< of the buffer, already parsed
    std::uint64_t watch_ = 0;
    bool open_ = true;
    bool doomed_ = false;
    bool broken_ = false;
};

template <class Stream>
asio::awaitable<void> run(std::shared_ptr<connection<Stream>> c) {
    co_await c->run();
}

template <class Stream>
void start(Stream stream, world& w) {
    auto executor = stream.get_executor();
    auto c = std::make_shared<connection<Stream>>(std::move(stream), w);
    // Whatever goes wrong with a connection ends that connection alone.
    asio::co_spawn(executor, run(std::move(c)), [](std::exception_ptr const&) {});
}

}  // namespace

void serve(tcp::socket socket, asio::ssl::context* tls, world& w) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (tls)
        start(tls_stream(std::move(socket), *tls), w);
    else
        start(std::move(socket), w);
}

}  // namespace engram::simulator
