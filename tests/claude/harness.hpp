// A client, the scripted server that it talks to, and the loop that both run on.
#pragma once

#include "claude/client.hpp"
#include "replies.hpp"
#include "support/scripted_server.hpp"
#include "support/scripts.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::tests {

/// One user message.
[[nodiscard]] claude::request question(std::string text = "hi");

/// Answers each request with the text of its last message, for as long as requests come.
[[nodiscard]] script echoes();

class harness {
public:
    explicit harness(std::vector<script> scripts, boost::asio::ssl::context* tls = nullptr);
    ~harness();

    claude::options options;  ///< until client() is first used; points at the server
    scripted_server& server() { return server_; }
    claude::client& client();
    boost::asio::io_context& loop() { return loop_; }

    /// Asks and runs the loop until the answer is there.
    claude::result<claude::answer> ask(claude::request what = question(),
                                       std::chrono::milliseconds patience = std::chrono::seconds(20),
                                       claude::listener& hears = claude::ignore_events());
    /// Runs the loop until `done()`.
    void run_until(std::function<bool()> const& done);

private:
    boost::asio::io_context loop_;
    scripted_server server_;
    std::unique_ptr<claude::client> client_;
};

/// A call under way that can be cancelled.
class pending_call {
public:
    pending_call(harness& h, claude::request what, claude::call_class priority,
                 std::chrono::milliseconds patience = std::chrono::seconds(20),
                 claude::listener& hears = claude::ignore_events());
    void cancel();
    [[nodiscard]] bool ended() const;
    [[nodiscard]] bool was_cancelled() const;
    [[nodiscard]] claude::result<claude::answer> const& outcome() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace engram::tests
