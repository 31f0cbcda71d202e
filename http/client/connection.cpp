#include "http/client/connection.hpp"

#include "base/failpoint.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace engram::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

namespace {

constexpr auto quiet = asio::as_tuple(asio::use_awaitable);

io_outcome timed_out() {
    return {io_end::timed_out, "no answer in time"};
}

// An aborted wait is the deadline's doing or the caller's: nobody else ends one.
[[noreturn]] void throw_cancelled() {
    throw boost::system::system_error(asio::error::operation_aborted);
}

io_outcome to_outcome(net::io_step&& step) {
    auto const end = step.state == net::io::closed ? io_end::closed : io_end::failed;
    return {end, std::move(step.what)};
}

}  // namespace

connection::connection(asio::any_io_executor executor, net::tls_context* tls)
    : context_(tls), socket_(executor), timer_(executor) {}

void connection::set_deadline(base::steady_time until) {
    deadline_ = until;
    expired_ = false;
    if (until == base::steady_time::max()) return;
    if (!watching_ || until < timer_.expiry()) watch_deadline();
}

void connection::watch_deadline() {
    watching_ = true;
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
        if (ec) return;
        if (auto const self = weak.lock()) self->deadline_passed();
    });
}

void connection::deadline_passed() {
    watching_ = false;
    if (deadline_ == base::steady_time::max()) return;
    if (steady_clock::now() < deadline_) return watch_deadline();
    expired_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

asio::awaitable<io_outcome> connection::wait(tcp::socket::wait_type what) {
    if (expired_) co_return timed_out();
    auto const [ec] = co_await socket_.async_wait(what, quiet);
    if (expired_) co_return timed_out();
    if (ec == asio::error::operation_aborted) throw_cancelled();
    if (ec) co_return io_outcome{io_end::closed, ec.message()};
    co_return io_outcome{};
}

asio::awaitable<io_outcome> connection::connect(tcp::endpoint address) {
    boost::system::error_code ignored;
    socket_.close(ignored);
    auto const [ec] = co_await socket_.async_connect(address, quiet);
    if (expired_) co_return timed_out();
    if (ec == asio::error::operation_aborted) throw_cancelled();
    if (ec) co_return io_outcome{io_end::closed, ec.message()};
    remote_ = address;
    set_socket_options();
    co_return io_outcome{};
}

void connection::set_socket_options() {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    // A peer that vanished while an answer is awaited is noticed after about two minutes.
    int const fd = socket_.native_handle();
    for (auto const& [option, value] : {std::pair(TCP_KEEPIDLE, 60), {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}})
        ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
}

asio::awaitable<io_outcome> connection::open(std::vector<tcp::endpoint> addresses, base::steady_time until) {
    io_outcome outcome{io_end::failed, "the host has no address"};
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        auto const now = steady_clock::now();
        bool const last = i + 1 == addresses.size();
        set_deadline(last || until <= now ? until : now + (until - now) / 2);
        outcome = co_await connect(addresses[i]);
        if (outcome.ok() || steady_clock::now() >= until) break;
    }
    if (outcome.end == io_end::timed_out) outcome.what = "no connection in time";
    if (outcome.ok() && context_) {
        set_deadline(until);
        outcome = co_await shake_hands();
    }
    set_deadline(base::steady_time::max());
    co_return outcome;
}

asio::awaitable<io_outcome> connection::shake_hands() {
    tls_.emplace(*context_, socket_.native_handle());
    for (;;) {
        auto step = tls_->handshake();
        if (step.state == net::io::done) co_return io_outcome{};
        if (step.state == net::io::closed || step.state == net::io::failed) {
            step.what.insert(0, "TLS handshake: ");
            co_return to_outcome(std::move(step));
        }
        bool const reading = step.state == net::io::want_read;
        auto outcome = co_await wait(reading ? tcp::socket::wait_read : tcp::socket::wait_write);
        if (outcome.end == io_end::timed_out) outcome.what = "no TLS handshake in time";
        if (!outcome.ok()) co_return outcome;
    }
}

net::io_step connection::read_some(std::span<char> into) {
    return tls_ ? tls_->read(into) : net::read_socket(socket_.native_handle(), into);
}

net::io_step connection::write_some(std::string_view bytes) {
    return tls_ ? tls_->write(bytes) : net::write_socket(socket_.native_handle(), bytes);
}

asio::awaitable<io_outcome> connection::send(std::string_view wire) {
    while (!wire.empty()) {
        auto step = write_some(wire);
        if (step.state == net::io::done) {
            wire.remove_prefix(step.bytes);
            continue;
        }
        if (step.state == net::io::closed || step.state == net::io::failed)
            co_return to_outcome(std::move(step));
        bool const reading = step.state == net::io::want_read;
        auto outcome = co_await wait(reading ? tcp::socket::wait_read : tcp::socket::wait_write);
        if (!outcome.ok()) co_return outcome;
    }
    co_return io_outcome{};
}

asio::awaitable<io_outcome> connection::exchange(std::string_view wire, reply_reader& reader,
                                                 std::span<char> scratch, base::steady_time until) {
    set_deadline(until);
    auto const sent = co_await send(wire);
    if (sent.end == io_end::timed_out) co_return sent;
    base::failpoint("mid_call");
    // TLS may hold decrypted bytes already, so there a read comes before the wait.
    auto next = sent.ok() && !tls_ ? net::io::want_read : net::io::done;
    for (;;) {
        if (next != net::io::done) {
            // A server that refuses a request may answer and close before it has read it all: that answer
            // counts, but only if it is here.
            if (!sent.ok()) co_return sent;
            auto outcome =
                co_await wait(next == net::io::want_read ? tcp::socket::wait_read : tcp::socket::wait_write);
            if (!outcome.ok()) co_return outcome;
        }
        auto step = read_some(scratch);
        bool const emptied = step.state == net::io::done && step.bytes < scratch.size() && !tls_ && sent.ok();
        next = emptied ? net::io::want_read : step.state;
        if (step.state == net::io::want_read || step.state == net::io::want_write) continue;
        auto ended = take(std::move(step), scratch, reader);
        if (ended && ended->ok()) set_deadline(base::steady_time::max());
        if (ended) co_return std::move(*ended);
    }
}

std::optional<io_outcome> connection::take(net::io_step&& step, std::span<char const> scratch,
                                           reply_reader& reader) {
    if (step.state == net::io::failed) return to_outcome(std::move(step));
    bool const closed = step.state == net::io::closed;
    if (closed && !reader.got_bytes()) return to_outcome(std::move(step));
    auto const progress = closed ? reader.finish() : reader.feed({scratch.data(), step.bytes});
    if (progress == reply_reader::progress::done) return io_outcome{};
    if (progress == reply_reader::progress::more) return std::nullopt;
    return io_outcome{io_end::failed, "the answer " + reader.problem()};
}

bool connection::is_quiet() {
    char byte;
    return read_some({&byte, 1}).state == net::io::want_read;
}

}  // namespace engram::http
