#include "support/scripted_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace engram::tests {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "content-length: ";
    auto const at = head.find(name);
    std::size_t length = 0;
    if (at != head.npos) std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    return length;
}

}  // namespace

asio::awaitable<void> peer::shake_hands(asio::ssl::context& context) {
    tls_.emplace(socket_, context);
    co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
}

asio::awaitable<std::size_t> peer::read_some() {
    std::size_t const old = unread_.size();
    unread_.resize(old + 16 * 1024);
    auto const into = asio::buffer(unread_.data() + old, unread_.size() - old);
    boost::system::error_code ec;
    std::size_t n = 0;
    if (tls_)
        n = co_await tls_->async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
    else
        n = co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
    unread_.resize(old + n);
    if (ec) throw boost::system::system_error(ec);
    co_return n;
}

asio::awaitable<std::string> peer::request() {
    for (;;) {
        auto const end = unread_.find("\r\n\r\n");
        if (end != unread_.npos) {
            std::size_t const size = end + 4 + content_length(std::string_view(unread_).substr(0, end + 2));
            if (unread_.size() >= size) {
                std::string whole = unread_.substr(0, size);
                unread_.erase(0, size);
                log_.push_back(whole);
                co_return whole;
            }
        }
        co_await read_some();
    }
}

asio::awaitable<void> peer::send(std::string bytes) {
    if (tls_)
        co_await asio::async_write(*tls_, asio::buffer(bytes), asio::use_awaitable);
    else
        co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
}

asio::awaitable<void> peer::until_closed() {
    boost::system::error_code ec;
    char waste[4096];
    while (!ec)
        co_await socket_.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
}

void peer::close() {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

void peer::reset() {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

bool peer::resumed() {
    return tls_ && SSL_session_reused(tls_->native_handle()) == 1;
}

scripted_server::scripted_server(asio::any_io_executor executor, std::vector<script> scripts,
                                 asio::ssl::context* tls)
    : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      scripts_(std::move(scripts)),
      tls_(tls),
      port_(acceptor_.local_endpoint().port()),
      tasks_(executor) {
    tasks_.spawn("accept", accept());
}

asio::awaitable<void> scripted_server::accept() {
    for (;;) {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        tasks_.spawn("serve", serve(std::move(socket), connections_++));
    }
}

asio::awaitable<void> scripted_server::serve(tcp::socket socket, std::size_t number) {
    peer p(std::move(socket), requests_);
    try {
        if (tls_) {
            co_await p.shake_hands(*tls_);
            if (p.resumed()) ++resumed_;
        }
        co_await scripts_[std::min(number, scripts_.size() - 1)](p);
    } catch (boost::system::system_error const&) {
        // The client closed; whether it should have is for the test to say.
    }
}

void scripted_server::stop() {
    // Asio forwards a signal to its coroutine through the executor: sent from outside the loop, it would
    // arrive later, perhaps after the coroutine's end.
    asio::post(acceptor_.get_executor(), [this] { tasks_.cancel(); });
}

}  // namespace engram::tests
