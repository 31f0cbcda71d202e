#include "support/scripts.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace engram::tests {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> answer_each(peer& p, std::vector<std::string> const& replies) {
    for (auto const& reply : replies) {
        co_await p.request();
        co_await p.send(reply);
    }
    co_await p.until_closed();
}

asio::awaitable<void> answer_and_close(peer& p, std::string const& reply) {
    co_await p.request();
    co_await p.send(reply);
    p.close();
}

asio::awaitable<void> answer_then_close_later(peer& p, std::string const& reply,
                                              std::chrono::milliseconds delay) {
    co_await p.request();
    co_await p.send(reply);
    co_await p.request();
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, delay);
    co_await timer.async_wait(asio::use_awaitable);
    p.close();
}

asio::awaitable<void> stall(peer& p) {
    co_await p.request();
    co_await p.until_closed();
}

}  // namespace

std::string http_answer(int status, std::string_view body, std::string_view headers) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-type: application/json\r\n" +
           std::string(headers) + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

script answers(std::vector<std::string> replies) {
    return [replies = std::move(replies)](peer& p) { return answer_each(p, replies); };
}

script answers_and_closes(std::string reply) {
    return [reply = std::move(reply)](peer& p) { return answer_and_close(p, reply); };
}

script answers_then_closes_later(std::string reply, std::chrono::milliseconds delay) {
    return [reply = std::move(reply), delay](peer& p) { return answer_then_close_later(p, reply, delay); };
}

script stalls() {
    return stall;
}

}  // namespace engram::tests
