#include "queue/job_queue.hpp"

#include "base/log.hpp"
#include "base/random_id.hpp"
#include "queue/scripts.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds pause_after_failure = 2s;
constexpr milliseconds longest_farewell = 3s;  // for a connection, at the end

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "engramd";
}

}  // namespace

job_queue::job_queue(options options, asio::any_io_executor executor)
    : options_(std::move(options)),
      executor_(executor),
      commands_(options_.server, "engramd", executor),
      waiting_(options_.server, "engramd-wait", executor),
      services_(executor),
      jobs_(executor),
      jobs_key_(options_.prefix + ":jobs"),
      limit_(options_.max_in_flight),
      changed_(executor),
      ready_(executor) {
    begin_incarnation();
}

void job_queue::begin_incarnation() {
    auto const& name = options_.instance_name;
    auto const first = name.empty() ? host_name() + "-" + std::to_string(getpid()) : name;
    previous_ = std::move(incarnation_);
    incarnation_ = first + "-" + base::random_hex(6);
    ticket_prefix_ = base::random_hex(8);
    registered_ = false;
    dry_ = false;
    doubts_settled_ = doubts_;
    in_flight_.clear();
}

void job_queue::start(handler handler, report report) {
    handler_ = std::move(handler);
    report_ = std::move(report);
    services_.spawn("redis", keep_up("redis", [this] { return commands_.run(); }));
    services_.spawn("redis-wait", keep_up("redis-wait", [this] { return waiting_.run(); }));
    services_.spawn("heartbeat", keep_up("heartbeat", [this] { return keep_alive(); }));
    services_.spawn("take-jobs", keep_up("take-jobs", [this] { return take_jobs(); }));
}

// None of the services ends by itself; one that fails (no memory) starts anew, since without it the queue
// stands still.
asio::awaitable<void> job_queue::keep_up(std::string name, std::function<asio::awaitable<void>()> service) {
    for (;;) {
        try {
            co_await service();
        } catch (boost::system::system_error const& error) {
            if (error.code() == asio::error::operation_aborted) throw;
            base::log_error("a part of the queue failed and starts anew",
                            {{"part", name}, {"error", error.what()}});
        } catch (std::exception const& error) {
            base::log_error("a part of the queue failed and starts anew",
                            {{"part", name}, {"error", error.what()}});
        }
        asio::steady_timer pause(executor_, pause_after_failure);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

void job_queue::set_limit(std::size_t limit) {
    limit_ = std::min(limit, options_.max_in_flight);
    dry_ = false;
    changed_.notify_all();
}

asio::awaitable<void> job_queue::drain(base::steady_time until) {
    draining_ = true;
    drain_until_ = until;
    changed_.notify_all();
    base::log_info("no more jobs are taken", {{"in_flight", in_flight_.size()}});
    while (!in_flight_.empty() && steady_clock::now() < drain_until_)
        co_await changed_.wait_until(drain_until_);
    abandoning_ = true;
    changed_.notify_all();
    if (jobs_.size() > 0) base::log_info("jobs are given back", {{"in_flight", in_flight_.size()}});
    jobs_.cancel();
    co_await jobs_.join();
    leaving_ = true;
    co_await leave();
    services_.cancel();
    co_await services_.join();
}

void job_queue::hurry() {
    drain_until_ = steady_clock::now();
    changed_.notify_all();
}

asio::awaitable<void> job_queue::leave() {
    if (!registered_) co_return;
    // A Redis that is away for a moment: without this call every job still in hand would count a death.
    bool const up = co_await commands_.wait_until_up(steady_clock::now() + longest_farewell);
    if (!up) co_return;
    std::vector<std::string> const arguments{options_.prefix, incarnation_};
    auto const answer = co_await all_scripts().leave.run(commands_, jobs_key_, arguments);
    if (!answer) note_trouble(take_trouble_, answer.error(), "leaving the queue");
    registered_ = false;
}

void job_queue::note_trouble(std::string& trouble, redis::error const& error, std::string_view doing) {
    if (draining_) return;
    auto const code = [](std::string const& text) { return text.substr(0, text.find(' ')); };
    if (code(trouble) != code(error.message))
        base::log_warn("the queue has trouble with Redis", {{"while", doing}, {"error", error.message}});
    trouble = error.message;
}

void job_queue::clear_trouble(std::string& trouble) {
    if (trouble.empty()) return;
    base::log_info("the queue's trouble with Redis is over", {{"was", trouble}});
    trouble.clear();
}

// Not whether Redis answers, but whether jobs are taken or would be: an idle queue looks once a second.
intake job_queue::state() const {
    if (draining_) return intake::draining;
    if (!registered_ || !commands_.is_up() || !beat_trouble_.empty()) return intake::cut_off;
    if (limit_ == 0) return intake::paused;
    if (!take_trouble_.empty()) return intake::cut_off;
    if (in_flight_.size() >= limit_) return intake::full;
    return steady_clock::now() - last_look_ < longest_silence ? intake::taking : intake::cut_off;
}

queue_status job_queue::status() const {
    auto status = counts_;
    status.in_flight = in_flight_.size();
    status.limit = limit_;
    status.connected = commands_.is_up();
    status.trouble = commands_.trouble();
    for (auto const* trouble : {&beat_trouble_, &take_trouble_})
        if (status.trouble.empty()) status.trouble = *trouble;
    // Who does not wait does not know whether it could.
    if (status.trouble.empty() && dry_) status.trouble = wait_trouble_;
    status.state = state();
    status.instance = incarnation_;
    return status;
}

asio::awaitable<bool> job_queue::wait_until_ready(base::steady_time until) {
    while (!registered_) {
        bool const woken = co_await ready_.wait_until(until);
        if (!woken) break;
    }
    co_return registered_;
}

}  // namespace engram::queue
