#include "daemon/service.hpp"

#include "base/log.hpp"
#include "store/sqlite_store.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <string>
#include <utility>

namespace engram::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto upkeep_pause = std::chrono::minutes(10);
constexpr std::size_t upkeep_batch = 1'000;
constexpr auto never = base::steady_time::max();

claude::options with_key(claude::options options, base::secret key) {
    options.api_key = std::move(key);
    return options;
}

workers::job_rules rules_of(queue::options const& options) {
    return {options.prefix, options.reply_prefixes, options.max_job_bytes, options.deadline,
            int(options.max_deliveries)};
}

}  // namespace

service::service(config config, base::secret key, reload reload, asio::io_context& io)
    : signals_(io, SIGTERM, SIGINT, SIGHUP),
      config_(std::move(config)),
      reload_(std::move(reload)),
      tasks_(io.get_executor()),
      stop_(io.get_executor()),
      store_(store::open_sqlite(config_.store, io.get_executor())),
      claude_(claude::make_client(with_key(config_.claude, std::move(key)), io.get_executor())),
      queue_(config_.queue, io.get_executor()),
      gate_(
          config_.chat.pause_retry, [this](workers::api_gate::state state) { set_intake(state); },
          io.get_executor()),
      summarizer_(config_.summary, queue_.instance(), *store_, *claude_, gate_, clock_, io.get_executor()),
      chat_(
          rules_of(config_.queue), config_.chat, *store_, *claude_, gate_, clock_,
          [this](store::conversation const& which, std::size_t turns) { summarizer_.consider(which, turns); },
          io.get_executor()) {}

asio::awaitable<void> service::run() {
    tasks_.spawn("signals", watch_signals());
    tasks_.spawn("api-gate", gate_.run());
    tasks_.spawn("ready", announce_ready());
    tasks_.spawn("status", tell_systemd());
    tasks_.spawn("upkeep", expire_outcomes());
    summarizer_.start();
    queue_.start([this](queue::delivery delivery) { return chat_.answer(std::move(delivery)); },
                 [this] { return to_json(current_status()); });

    while (!stopping_)
        co_await stop_.wait();

    sd_notify(0, "STOPPING=1");
    base::log_info("stopping", {{"drain_ms", config_.queue.drain.count()}});
    co_await queue_.drain(steady_clock::now() + config_.queue.drain);
    co_await summarizer_.stop();
    tasks_.cancel();
    co_await tasks_.join();
    claude_->close();
    base::log_info("stopped");
}

asio::awaitable<void> service::watch_signals() {
    for (;;) {
        auto const [error, number] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error) co_return;
        if (number == SIGHUP) {
            try {
                reload_config();
            } catch (std::exception const& failure) {
                base::log_error("the configuration was not reloaded", {{"error", failure.what()}});
            }
        } else if (!stopping_) {
            stopping_ = true;
            stop_.notify_all();
        } else {
            queue_.hurry();
        }
    }
}

asio::awaitable<void> service::announce_ready() {
    co_await queue_.wait_until_ready(never);
    announced_ = true;
    sd_notify(0, "READY=1");
}

status service::current_status() const {
    return {queue_.status(), chat_.store_trouble(), gate_.reason()};
}

// That this loop still turns, and what it does, whenever that has changed.
asio::awaitable<void> service::tell_systemd() {
    bool const watched = sd_watchdog_enabled(0, nullptr) > 0;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    std::string told;
    bool was_ready = true;
    for (;;) {
        auto const now = current_status();
        bool const ready = is_ready(now);
        if (announced_ && !stopping_ && ready != std::exchange(was_ready, ready)) {
            if (ready)
                base::log_info("jobs are answered again");
            else
                base::log_warn("no jobs are answered",
                               {{"state", name_of(now.queue.state)}, {"trouble", trouble_of(now)}});
        }
        if (auto line = to_line(now); line != told) {
            told = std::move(line);
            sd_notifyf(0, "STATUS=%s", told.c_str());
        }
        if (watched) sd_notify(0, "WATCHDOG=1");
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// Outcomes are kept for repeats of a job; after queue.dedupe_hours they go.
asio::awaitable<void> service::expire_outcomes() {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    for (;;) {
        auto const removed =
            co_await store_->expire_outcomes(clock_.wall() - config_.queue.dedupe, upkeep_batch);
        bool const more = removed && *removed == upkeep_batch;
        if (more)
            timer.expires_after(50ms);
        else
            timer.expires_after(upkeep_pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

void service::set_intake(workers::api_gate::state state) {
    using enum workers::api_gate::state;
    queue_.set_limit(state == open ? config_.queue.max_in_flight : state == trial ? 1 : 0);
}

void service::reload_config() {
    // systemd wants to know since when, or takes an old READY for the end of this reload.
    auto const since =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch());
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(since.count()));
    if (auto const fresh = reload_()) {
        auto plan = plan_reload(config_, fresh->fresh);
        for (auto const key : plan.need_restart)
            base::log_warn("a changed setting needs a restart", {{"key", key}});
        config_ = std::move(plan.next);
        base::log_set_level(config_.log.level);
        chat_.set_options(config_.chat);
        summarizer_.set_options(config_.summary);
        claude_->set_api_key(fresh->key);
        gate_.try_now();
        base::log_info("configuration reloaded", {{"changed", plan.applied.size()}});
    }
    if (announced_) sd_notify(0, "READY=1");
}

}  // namespace engram::daemon
