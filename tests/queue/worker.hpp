// A daemon's part in the queue, whose jobs end when the test says so.
#pragma once

#include "queue/job_queue.hpp"
#include "support/loop.hpp"
#include "support/redis_server.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::test {

/// One delivery in a handler's hands. The handler goes on when one of the ends is chosen.
struct turn {
    turn(loop& on, queue::delivery d) : what(std::move(d)), changed(on.io.get_executor()) {}

    queue::delivery what;
    base::event changed;
    bool decided = false, ended = false, cancelled = false, fails = false;
    std::optional<queue::settlement> outcome;
    std::optional<queue::postponement> later;

    /// Settles it at the reply address of the contract.
    void answer(std::string reply = "{}");
    void settle(queue::settlement with);
    void give_back();
    void postpone(std::chrono::milliseconds pause, std::string reason = "HTTP status 529");
    void blow_up();

    /// Member `id` of the body.
    [[nodiscard]] std::string id() const;
};

class worker {
public:
    worker(loop& on, queue::options options);
    /// Stops at once; jobs in hand are given back if Redis is there.
    ~worker();
    worker(worker const&) = delete;
    worker& operator=(worker const&) = delete;

    /// Starts, and resumes when it takes jobs.
    task<void> start();
    void begin();

    /// The next delivery, in order of arrival; throws std::runtime_error if none comes.
    task<std::shared_ptr<turn>> next();
    [[nodiscard]] std::size_t waiting() const { return arrived_.size(); }
    [[nodiscard]] std::size_t handlers() const { return handlers_; }
    [[nodiscard]] std::size_t most_handlers() const { return most_handlers_; }

    /// From now on every job is answered by itself; `each` sees it first.
    void answer_all(std::function<void(queue::delivery const&)> each = {}) {
        automatic_ = true;
        each_ = std::move(each);
    }

    queue::job_queue queue;

private:
    task<void> work(queue::delivery what, queue::reply_stream& reply);

    loop& on_;
    base::event changed_;
    base::task_group stopping_;
    std::deque<std::shared_ptr<turn>> arrived_;
    std::size_t handlers_ = 0, most_handlers_ = 0;
    bool automatic_ = false;
    std::function<void(queue::delivery const&)> each_;
};

/// A private Redis, and what producers and operators do with it.
struct queue_fixture : loop {
    explicit queue_fixture(std::vector<std::string> server_options = {})
        : server(std::move(server_options)) {}

    redis_server server;

    /// For a daemon at the server, or behind a proxy. The lease outlasts every test unless the test sets it.
    [[nodiscard]] queue::options options(std::string url = {}) const;

    void push(std::string const& job) { server.command({"LPUSH", "engram:jobs", job}); }
    /// {"user_id":…,"session_id":…,"id":…,"message":"hi"}; an empty session is left out.
    void push(std::string const& user, std::string const& session, std::string const& id);

    /// What is in the list of replies for this id: one a line.
    [[nodiscard]] std::string replies(std::string const& id) {
        return server.command({"LRANGE", "engram:reply:" + id, "0", "-1"});
    }
    task<void> replied(std::string id);
    /// Every key but those that expire (replies, what instances say of themselves), sorted, one a line.
    [[nodiscard]] std::string keys();
    /// Every key's content, for comparing.
    [[nodiscard]] std::map<std::string, std::string> everything();
    /// The fields of the only dead letter.
    [[nodiscard]] std::map<std::string, std::string> dead_letter();
    [[nodiscard]] long calls(std::string const& command);
};

}  // namespace engram::test
