#include "harness.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <utility>

namespace engram::tests {

namespace asio = boost::asio;

claude::request question(std::string text) {
    claude::request what;
    what.model = "claude-opus-4-5";
    what.messages.push_back({claude::role::user, {{std::move(text), false}}});
    return what;
}

namespace {

asio::awaitable<void> echo(peer& p) {
    for (;;) {
        auto const request = co_await p.request();
        constexpr std::string_view mark = "\"text\":\"";
        auto const from = request.rfind(mark) + mark.size();
        auto const text = request.substr(from, request.find('"', from) - from);
        co_await p.send(http_answer(200, message_json(text)));
    }
}

}  // namespace

script echoes() {
    return echo;
}

harness::harness(std::vector<script> scripts, asio::ssl::context* tls)
    : server_(loop_.get_executor(), std::move(scripts), tls) {
    options.base_url = (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server_.port());
    options.api_key = base::secret("sk-test-0123456789");
}

harness::~harness() {
    if (client_) client_->close();
    server_.stop();
    loop_.restart();
    loop_.run();  // ends only if nothing is left behind
}

claude::client& harness::client() {
    if (!client_) client_ = claude::make_client(options, loop_.get_executor());
    return *client_;
}

void harness::run_until(std::function<bool()> const& done) {
    while (!done())
        if (loop_.run_one() == 0) throw std::logic_error("the loop has nothing left to do");
}

claude::result<claude::answer> harness::ask(claude::request what, std::chrono::milliseconds patience,
                                            claude::listener& hears) {
    pending_call call(*this, std::move(what), claude::call_class::chat, patience, hears);
    run_until([&] { return call.ended(); });
    return call.outcome();
}

struct pending_call::state {
    asio::any_io_executor executor;
    asio::cancellation_signal signal;
    bool ended = false;
    bool cancelled = false;
    std::optional<claude::result<claude::answer>> outcome;
};

pending_call::pending_call(harness& h, claude::request what, claude::call_class priority,
                           std::chrono::milliseconds patience, claude::listener& hears)
    : state_(std::make_shared<state>()) {
    state_->executor = h.loop().get_executor();
    auto const deadline = std::chrono::steady_clock::now() + patience;
    auto ended = [s = state_](std::exception_ptr error, claude::result<claude::answer> outcome) {
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
    asio::co_spawn(h.loop(), h.client().ask(std::move(what), priority, deadline, hears),
                   asio::bind_cancellation_slot(state_->signal.slot(), std::move(ended)));
}

void pending_call::cancel() {
    // From inside the loop, as the daemon does it: see scripted_server::stop().
    asio::post(state_->executor, [s = state_] { s->signal.emit(asio::cancellation_type::terminal); });
}
bool pending_call::ended() const {
    return state_->ended;
}
bool pending_call::was_cancelled() const {
    return state_->cancelled;
}
claude::result<claude::answer> const& pending_call::outcome() const {
    return state_->outcome.value();
}

}  // namespace engram::tests
