#include "harness.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <utility>

namespace engram::tests {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

asio::awaitable<void> measure(peer& p) {
    for (;;) {
        auto const request = co_await p.request();
        auto const body = json::parse(request.substr(request.find("\r\n\r\n") + 4));
        std::vector<std::string> lengths;
        for (auto const& text : body.at("input").as_array())
            lengths.push_back('[' + std::to_string(text.as_string().size()) + ",1]");
        co_await p.send(http_answer(200, vectors_answer(lengths)));
    }
}

}  // namespace

std::string vectors_answer(std::vector<std::string> const& embeddings) {
    std::string items;
    for (std::size_t i = 0; i < embeddings.size(); ++i)
        items += (i == 0 ? "" : ",") + std::string(R"({"object":"embedding","index":)") + std::to_string(i) +
                 R"(,"embedding":)" + embeddings[i] + '}';
    return R"({"object":"list","data":[)" + items + R"(],"model":"m","usage":{"total_tokens":1}})";
}

script measures() {
    return measure;
}

harness::harness(std::vector<script> scripts, asio::ssl::context* tls)
    : server_(loop_.get_executor(), std::move(scripts), tls) {
    options.base_url = (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server_.port());
    options.model = "m-1";
    options.timeout = std::chrono::seconds(20);
}

harness::~harness() {
    if (client_) client_->close();
    server_.stop();
    loop_.restart();
    loop_.run();  // ends only if nothing is left behind
}

embedding::client& harness::client() {
    if (!client_) client_ = embedding::make_client(options, loop_.get_executor(), clock);
    return *client_;
}

void harness::run_until(std::function<bool()> const& done) {
    while (!done())
        if (loop_.run_one() == 0) throw std::logic_error("the loop has nothing left to do");
}

embedded harness::embed(std::vector<std::string> texts, embedding::purpose why,
                        std::chrono::milliseconds patience) {
    pending call(*this, std::move(texts), why, patience);
    run_until([&] { return call.ended(); });
    return call.outcome();
}

pending::pending(harness& h, std::vector<std::string> texts, embedding::purpose why,
                 std::chrono::milliseconds patience)
    : state_(std::make_shared<state>(h.loop())) {
    auto ended = [s = state_](std::exception_ptr error, embedded outcome) {
        s->ended = true;
        if (!error) {
            s->outcome = std::move(outcome);
            return;
        }
        try {
            std::rethrow_exception(error);
        } catch (boost::system::system_error const& e) {
            s->cancelled = e.code() == asio::error::operation_aborted;
            if (!s->cancelled) throw;
        }
    };
    auto const until = std::chrono::steady_clock::now() + patience;
    asio::co_spawn(h.loop(), h.client().embed(std::move(texts), why, until),
                   asio::bind_cancellation_slot(state_->signal.slot(), std::move(ended)));
}

void pending::cancel() {
    asio::post(state_->loop, [s = state_] { s->signal.emit(asio::cancellation_type::terminal); });
}

std::string body_of_request(harness& h, std::size_t n) {
    auto const& request = h.server().requests().at(n);
    return request.substr(request.find("\r\n\r\n") + 4);
}

}  // namespace engram::tests
