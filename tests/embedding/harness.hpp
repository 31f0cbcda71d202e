// An embedding client, the scripted server that it talks to, and the loop that both run on.
#pragma once

#include "base/clock.hpp"
#include "embedding/client.hpp"
#include "support/scripted_server.hpp"
#include "support/scripts.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::tests {

using embedded = base::result<std::vector<embedding::vector>, embedding::error>;

/// A clock that stands still until it is moved.
class set_clock final : public base::clock {
public:
    [[nodiscard]] base::steady_time steady() const override { return now; }
    base::steady_time now{std::chrono::hours(1)};
};

/// An answer with these embeddings, each a JSON array, numbered in this order.
[[nodiscard]] std::string vectors_answer(std::vector<std::string> const& embeddings);
/// Answers each request with [length of the text, 1] for each text of it, for as long as requests come.
[[nodiscard]] script measures();

class harness {
public:
    explicit harness(std::vector<script> scripts, boost::asio::ssl::context* tls = nullptr);
    ~harness();

    embedding::options options;  ///< until client() is first used; points at the server, with long timeouts
    set_clock clock;
    scripted_server& server() { return server_; }
    embedding::client& client();

    /// Embeds and runs the loop until that has ended.
    embedded embed(std::vector<std::string> texts, embedding::purpose why = embedding::purpose::document,
                   std::chrono::milliseconds patience = std::chrono::seconds(20));
    embedded query() { return embed({"what?"}, embedding::purpose::query); }
    boost::asio::io_context& loop() { return loop_; }
    void run_until(std::function<bool()> const& done);

private:
    boost::asio::io_context loop_;
    scripted_server server_;
    std::unique_ptr<embedding::client> client_;
};

/// A call under way.
class pending {
public:
    pending(harness& h, std::vector<std::string> texts, embedding::purpose why,
            std::chrono::milliseconds patience = std::chrono::seconds(20));
    void cancel();
    [[nodiscard]] bool ended() const { return state_->ended; }
    [[nodiscard]] bool was_cancelled() const { return state_->cancelled; }
    [[nodiscard]] embedded const& outcome() const { return state_->outcome.value(); }

private:
    struct state {
        explicit state(boost::asio::io_context& l) : loop(l) {}
        boost::asio::io_context& loop;
        boost::asio::cancellation_signal signal;
        bool ended = false;
        bool cancelled = false;
        std::optional<embedded> outcome;
    };
    std::shared_ptr<state> state_;
};

/// The JSON body of the n-th request that the server got.
[[nodiscard]] std::string body_of_request(harness& h, std::size_t n);

}  // namespace engram::tests
