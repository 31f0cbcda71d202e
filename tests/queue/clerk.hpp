// A daemon's part in P:admin, whose requests end when the test says so.
#pragma once

#include "queue/admin_queue.hpp"
#include "support/loop.hpp"

#include <deque>
#include <memory>
#include <string>

namespace engram::test {

/// One request in a handler's hands. The handler goes on when one of the ends is chosen.
struct errand {
    errand(loop& on, std::string b) : body(std::move(b)), changed(on.io.get_executor()) {}

    std::string body;
    base::event changed;
    bool decided = false, ended = false, fails = false;
    queue::admin_answer outcome;

    /// Settles it at engram:reply:<id>.
    void answer(std::string id, std::string reply);
    void settle(queue::admin_answer with);
    void blow_up();
};

class clerk {
public:
    clerk(loop& on, queue::options options, std::function<std::string()> incarnation);
    /// Stops at once.
    ~clerk();
    clerk(clerk const&) = delete;
    clerk& operator=(clerk const&) = delete;

    /// The next request, in order of arrival; throws std::runtime_error if none comes.
    task<std::shared_ptr<errand>> next();
    /// As stop(), on the loop.
    void stop(base::steady_time until = {});
    [[nodiscard]] bool stopped() const { return stopping_.size() == 0; }
    [[nodiscard]] std::size_t waiting() const { return arrived_.size(); }

    queue::admin_queue queue;

private:
    task<queue::admin_answer> work(std::string body);

    loop& on_;
    base::event changed_;
    base::task_group stopping_;
    std::deque<std::shared_ptr<errand>> arrived_;
};

}  // namespace engram::test
