#include "net/stream.hpp"

#include "base/local_lack.hpp"
#include "base/under_way.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <utility>

namespace engram::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr auto quiet = asio::as_tuple(asio::use_awaitable);

io_outcome timed_out(std::string what) {
    return {io_end::timed_out, std::move(what)};
}

io_outcome to_outcome(io_step&& step) {
    auto const end = step.state == io::closed ? io_end::closed : io_end::failed;
    return {end, std::move(step.what)};
}

bool has_ended(io_step const& step) {
    return step.state == io::closed || step.state == io::failed;
}

io_step step_of(ssize_t n, bool reading) {
    if (n > 0) return {io::done, std::size_t(n)};
    if (n == 0 && reading) return {io::closed, 0, "closed by the server"};
    if (errno == EAGAIN || errno == EINTR) return {reading ? io::want_read : io::want_write};
    std::error_code const error(errno, std::generic_category());
    auto lack = base::local_lack(error);
    return {io::closed, 0, lack.empty() ? error.message() : std::move(lack)};
}

}  // namespace

stream::stream(asio::any_io_executor executor, std::shared_ptr<tls_host> tls)
    : host_(std::move(tls)), socket_(executor), timer_(executor) {}

void stream::set_deadline(base::steady_time until) {
    deadline_ = until;
    expired_ = false;
    if (until == base::steady_time::max()) return;
    if (!watching_ || until < timer_.expiry()) watch_deadline();
}

void stream::watch_deadline() {
    base::under_way marked(watching_);
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = weak_from_this()](error_code ec) {
        if (ec) return;
        if (auto const self = weak.lock()) self->deadline_passed();
    });
    marked.keep();
}

void stream::deadline_passed() {
    watching_ = false;
    if (deadline_ == base::steady_time::max()) return;
    if (steady_clock::now() < deadline_) return watch_deadline();
    expired_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

// A wait is aborted by the deadline or by cancellation of the caller, and by nothing else.
io_outcome stream::outcome_of(error_code error) const {
    if (expired_) return timed_out("no answer in time");
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error == asio::error::eof) return {io_end::closed, "closed by the server"};
    if (auto lack = base::local_lack(error); !lack.empty()) return {io_end::lacking, std::move(lack)};
    if (error) return {io_end::closed, error.message()};
    return {};
}

asio::awaitable<io_outcome> stream::wait(io what) {
    if (expired_) co_return timed_out("no answer in time");
    auto const direction = what == io::want_read ? tcp::socket::wait_read : tcp::socket::wait_write;
    auto const [ec] = co_await socket_.async_wait(direction, quiet);
    co_return outcome_of(ec);
}

asio::awaitable<io_outcome> stream::connect(protocol::endpoint address) {
    error_code ignored;
    socket_.close(ignored);
    auto const [ec] = co_await socket_.async_connect(address, quiet);
    co_return outcome_of(ec);
}

void stream::set_socket_options() {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    // A peer that vanished while an answer is awaited is noticed after about two minutes.
    int const fd = socket_.native_handle();
    for (auto const& [option, value] : {std::pair(TCP_KEEPIDLE, 60), {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}})
        ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
}

asio::awaitable<io_outcome> stream::open(std::vector<tcp::endpoint> addresses, base::steady_time until) {
    io_outcome outcome{io_end::failed, "the host has no address"};
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        auto const now = steady_clock::now();
        bool const last = i + 1 == addresses.size();
        set_deadline(last || until <= now ? until : now + (until - now) / 2);
        auto tried = co_await connect(addresses[i]);
        // What a server says is worth more than that one of another kind could not be asked.
        if (i == 0 || tried.end != io_end::lacking) outcome = std::move(tried);
        if (outcome.ok() || steady_clock::now() >= until) break;
    }
    if (outcome.end == io_end::timed_out) outcome.what = "no connection in time";
    if (outcome.ok()) set_socket_options();
    if (outcome.ok() && host_) {
        set_deadline(until);
        outcome = co_await shake_hands();
    }
    set_deadline(base::steady_time::max());
    co_return outcome;
}

asio::awaitable<io_outcome> stream::open_local(std::string path, base::steady_time until) {
    // The address of a Unix socket has room for a path of limited length; a longer one would throw.
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        co_return io_outcome{io_end::failed, "the path is too long"};
    set_deadline(until);
    asio::local::stream_protocol::endpoint const address(path);
    auto outcome = co_await connect(address);
    if (outcome.end == io_end::timed_out) outcome.what = "no connection in time";
    set_deadline(base::steady_time::max());
    co_return outcome;
}

asio::awaitable<io_outcome> stream::shake_hands() {
    try {
        tls_.emplace(*host_, socket_.native_handle());
    } catch (std::runtime_error const& error) {  // a name that cannot be checked
        co_return io_outcome{io_end::failed, error.what()};
    }
    for (;;) {
        auto step = tls_->handshake();
        if (step.state == io::done) co_return io_outcome{};
        if (has_ended(step)) {
            // Without a file descriptor no authority can be found, and the certificate would be blamed.
            auto lack = step.state == io::failed ? base::lack_of_files() : std::string();
            if (!lack.empty()) co_return io_outcome{io_end::lacking, std::move(lack)};
            step.what.insert(0, "TLS handshake: ");
            co_return to_outcome(std::move(step));
        }
        auto outcome = co_await wait(step.state);
        if (outcome.end == io_end::timed_out) outcome.what = "no TLS handshake in time";
        if (!outcome.ok()) co_return outcome;
    }
}

io_step stream::try_read(std::span<char> into) {
    if (tls_) return tls_->read(into);
    return step_of(::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT), true);
}

io_step stream::try_write(std::string_view bytes) {
    if (tls_) return tls_->write(bytes);
    return step_of(::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
                   false);
}

asio::awaitable<stream::received> stream::read_some(std::span<char> into) {
    if (tls_) {
        auto over_tls = co_await read_some_over_tls(into);
        co_return over_tls;
    }
    if (expired_) co_return received{timed_out("no answer in time")};
    auto const [ec, bytes] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), quiet);
    co_return received{ec ? outcome_of(ec) : io_outcome{}, bytes};
}

// Waits before it reads unless bytes are pending, so that a server that sends without end does not block the
// event loop.
asio::awaitable<stream::received> stream::read_some_over_tls(std::span<char> into) {
    auto step = tls_->has_pending() ? try_read(into) : io_step{io::want_read};
    for (;;) {
        if (step.state == io::done) co_return received{{}, step.bytes};
        if (has_ended(step)) co_return received{to_outcome(std::move(step))};
        auto outcome = co_await wait(step.state);
        if (!outcome.ok()) co_return received{std::move(outcome)};
        step = try_read(into);
    }
}

asio::awaitable<io_outcome> stream::write(std::string_view bytes) {
    while (!bytes.empty()) {
        auto step = try_write(bytes);
        if (step.state == io::done) {
            bytes.remove_prefix(step.bytes);
            continue;
        }
        if (has_ended(step)) co_return to_outcome(std::move(step));
        auto outcome = co_await wait(step.state);
        if (!outcome.ok()) co_return outcome;
    }
    co_return io_outcome{};
}

tcp::endpoint stream::remote() const {
    error_code ignored;
    auto const peer = socket_.remote_endpoint(ignored);
    tcp::endpoint address;
    if (ignored || peer.size() > address.capacity()) return address;
    std::memcpy(address.data(), peer.data(), peer.size());
    address.resize(peer.size());
    return address;
}

bool stream::is_quiet() {
    char byte;
    return try_read({&byte, 1}).state == io::want_read;
}

}  // namespace engram::net
