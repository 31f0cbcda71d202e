#include "clerk.hpp"

#include <stdexcept>
#include <utility>

namespace engram::test {

using std::chrono::steady_clock;

void errand::answer(std::string id, std::string reply) {
    settle({id, "engram:reply:" + id, std::move(reply), {}});
}

void errand::settle(queue::admin_answer with) {
    outcome = std::move(with);
    decided = true;
    changed.notify_all();
}

void errand::blow_up() {
    fails = decided = true;
    changed.notify_all();
}

clerk::clerk(loop& on, queue::options options, std::function<std::string()> incarnation)
    : queue(std::move(options), std::move(incarnation), on.io.get_executor()),
      on_(on),
      changed_(on.io.get_executor()),
      stopping_(on.io.get_executor()) {
    queue.start([this](std::string body) { return work(std::move(body)); });
}

clerk::~clerk() {
    stop();
    on_.finish(stopping_);
}

void clerk::stop(base::steady_time until) {
    stopping_.spawn("stop", queue.stop(until));
}

task<std::shared_ptr<errand>> clerk::next() {
    auto const until = steady_clock::now() + most_patience;
    while (arrived_.empty()) {
        bool const woken = co_await changed_.wait_until(until);
        if (!woken) throw std::runtime_error("no request came");
    }
    auto first = std::move(arrived_.front());
    arrived_.pop_front();
    co_return first;
}

task<queue::admin_answer> clerk::work(std::string body) {
    auto const mine = std::make_shared<errand>(on_, std::move(body));
    arrived_.push_back(mine);
    changed_.notify_all();
    struct leaving {
        errand& of;
        ~leaving() { of.ended = true; }
    } const end{*mine};
    while (!mine->decided)
        co_await mine->changed.wait();
    if (mine->fails) throw std::runtime_error("a handler that the test lets fail");
    co_return mine->outcome;
}

}  // namespace engram::test
