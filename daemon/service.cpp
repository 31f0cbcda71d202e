#include "daemon/service.hpp"

#include "base/log.hpp"
#include "base/repeated.hpp"
#include "daemon/opening.hpp"
#include "daemon/supervisor.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <sysexits.h>
#include <utility>

namespace engram::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto patience_at_start = 10s;  // until it is told that no jobs are answered

claude::options with_key(claude::options options, base::secret key) {
    options.api_key = std::move(key);
    options.shares_pace = true;
    return options;
}

std::unique_ptr<embedding::client> make_embedder(embedding::options const& options,
                                                 asio::any_io_executor executor) {
    if (options.base_url.empty()) return nullptr;
    return embedding::make_client(options, std::move(executor));
}

std::unique_ptr<recall::word_neighbours> word_table(std::string const& path) {
    return path == "off" ? nullptr : workers::open_word_neighbours(path);
}

queue::options with_database(queue::options options, store::database const& database) {
    options.database = name_of(database.opened_as());
    return options;
}

workers::job_rules rules_of(queue::options const& options) {
    return {options.prefix, options.reply_prefixes, options.max_job_bytes, options.deadline,
            int(options.max_deliveries)};
}

workers::admin_rules admin_rules_of(config const& config) {
    workers::admin_rules rules;
    rules.prefix = config.queue.prefix;
    rules.reply_prefixes = config.queue.reply_prefixes;
    rules.max_request_bytes = config.queue.max_job_bytes;
    rules.types = config.chat.types;
    rules.reply_on_its_way = 2 * config.queue.lease;
    return rules;
}

// A summary that is made beyond the usual number must not hold a connection that a job could need.
workers::summary_options summaries_of(config const& config) {
    auto summary = config.summary;
    auto const spare = config.claude.max_connections -
                       std::min(config.claude.max_connections, config.queue.max_in_flight + summary.workers);
    summary.max_workers = std::min(summary.max_workers, summary.workers + spare);
    summary.history_turns = config.chat.history_turns;
    return summary;
}

workers::upkeep_options upkeep_of(config const& config) {
    return {config.queue.dedupe, config.embedding.batch, config.embedding.batch_timeout, config.adoption};
}

}  // namespace

service::service(config config, base::secret key, reload reload, asio::io_context& io)
    : signals_(io, SIGTERM, SIGINT, SIGHUP),
      config_(std::move(config)),
      reload_(std::move(reload)),
      part_(io.get_executor()),
      stop_(io.get_executor()),
      texts_(word_table(config_.word_neighbours)),
      store_(open_store(config_.store, config_.open_patience, texts_, signals_, io)),
      health_(*store_, clock_, [this] { apply_intake(); }),
      claude_(claude::make_client(with_key(config_.claude, std::move(key)), io.get_executor())),
      embedder_(make_embedder(config_.embedding, io.get_executor())),
      queue_(with_database(config_.queue, *store_), io.get_executor()),
      admin_queue_(
          config_.queue, [this] { return queue_.instance(); }, io.get_executor()),
      gate_(
          config_.chat.pause_retry, [this](claude::gate::state) { apply_intake(); }, io.get_executor()),
      models_([this] { return models_in_use(config_); },
              [this](std::string model, base::steady_time until) {
                  return claude_->describe_model(std::move(model), until);
              },
              clock_, io.get_executor()),
      pace_(
          *claude_,
          [this](std::vector<queue::pace_report> reports) { return queue_.share_pace(std::move(reports)); },
          io.get_executor()),
      safe_time_(
          machine_clock_, [this] { return queue_.server_time(); }, *store_, config_.settle),
      summaries_(summaries_of(config_), queue_.instance(), *store_, *claude_, gate_, clock_,
                 io.get_executor()),
      consolidator_(config_.consolidation, *store_, *claude_, gate_, clock_, io.get_executor()),
      upkeep_(upkeep_of(config_), *store_, embedder_.get(), clock_, io.get_executor()),
      traces_(queue_.connection(), config_.queue),
      admin_(admin_rules_of(config_), *store_, traces_, clock_, io.get_executor()),
      erasures_({}, *store_, admin_, clock_, io.get_executor()),
      chat_(
          rules_of(config_.queue), config_.chat, {embedder_.get(), config_.embedding.timeout}, *store_,
          *claude_, gate_, clock_,
          [this](store::conversation const& which, workers::window window) {
              summaries_.consider(which, window);
          },
          io.get_executor()) {
    claude_->on_room([this](std::optional<std::size_t> room) {
        room_ = room;
        apply_intake();
    });
}

asio::awaitable<void> service::run() {
    started_ = steady_clock::now();
    part_.keep_up("signals", [this] { return watch_signals(); });
    part_.keep_up("status", [this] { return tell_systemd(); });
    // What is missing, such as Redis, may come later and stands in the status, for systemd and in Redis.
    start_queue();
    tell_supervisor("READY=1");
    co_await forget_again();
    // Nothing is taken before the store's first rehearsal.
    if (!stopping_) co_await health_.look();
    if (!stopping_) start_parts();
    while (!stopping_)
        co_await stop_.wait();

    tell_supervisor("STOPPING=1");
    base::log_info("stopping", {{"drain_ms", config_.queue.drain.count()}});
    co_await stop_parts();
    base::log_info("stopped");
}

// It takes nothing before the store's first rehearsal.
void service::start_queue() {
    chat_.watch(health_);
    summaries_.watch(health_);
    consolidator_.watch(health_);
    apply_intake();
    queue_.trust([this] { return safe_time_.now(); });
    queue_.start([this](queue::delivery delivery,
                        queue::reply_stream& reply) { return chat_.answer(std::move(delivery), reply); },
                 [this] { return to_json(current_status()); });
}

void service::start_parts() {
    part_.keep_up("api-gate", [this] { return gate_.run(); });
    part_.keep_up("pace", [this] { return pace_.run(); });
    part_.spawn("database", tell_of_database());
    part_.keep_up("store", [this] { return watch_store(); });
    part_.keep_up("models", [this] { return models_.run(); });
    summaries_.start();
    consolidator_.start();
    upkeep_.trust(safe_time_);
    upkeep_.start();
    erasures_.start();
    admin_queue_.start([this](std::string body) { return admin_.answer(std::move(body)); });
}

// What may still end by itself shares one deadline, which a second signal moves to now: see hurry().
asio::awaitable<void> service::stop_parts() {
    queue_.set_limit(0);  // no more jobs, even if a request about memory takes its time
    co_await admin_queue_.stop(stop_by_);
    co_await queue_.drain(stop_by_);
    co_await summaries_.stop();
    co_await consolidator_.stop();
    co_await upkeep_.stop();
    co_await erasures_.stop();
    co_await part_.stop();
    claude_->close();
    if (embedder_) embedder_->close();
}

void service::begin_stop() {
    stopping_ = true;
    stop_by_ = steady_clock::now() + config_.queue.drain;
    stop_.notify_all();
}

// Nothing that runs could be stored: others may have it at once.
void service::give_up(std::string const& why) {
    if (stopping_) return hurry();
    exit_status_ = EX_TEMPFAIL;
    base::log_error("no more jobs are taken: engramd ends", {{"error", why}});
    begin_stop();
    hurry();
}

// Whatever phase the stop is in: what it waits for ends now, and what is still to come gets no time.
void service::hurry() {
    stop_by_ = steady_clock::now();
    admin_queue_.hurry();
    queue_.hurry();
}

asio::awaitable<void> service::watch_signals() {
    for (;;) {
        auto const number = co_await signals_.async_wait(asio::use_awaitable);
        if (number != SIGHUP) {
            if (stopping_)
                hurry();
            else
                begin_stop();
            continue;
        }
        try {
            reload_config();
        } catch (std::exception const& failure) {
            base::log_error("the configuration was not reloaded", {{"error", failure.what()}});
        }
    }
}

std::string service::store_trouble() const {
    if (!not_forgotten_.empty()) return not_forgotten_;
    return health_.trouble().empty() ? chat_.store_trouble() : health_.trouble();
}

status service::current_status() const {
    auto claude = claude_->status();
    return {queue_.status(),
            store_trouble(),
            status_of(gate_, steady_clock::now()),
            summaries_.status(),
            chat_.counts(),
            models_.known(),
            std::move(claude.paced),
            safe_time_.trouble(),
            health_.remark(),
            admin_queue_.failure(),
            std::move(claude.local_lack),
            claude.answers_nothing};
}

// A start takes a moment.
void service::log_readiness(status const& now) {
    bool const ready = is_ready(now);
    was_ready_ = was_ready_ || ready;
    if (!was_ready_ && steady_clock::now() < started_ + patience_at_start) return;
    using enum readiness::news;
    switch (readiness_.heed(ready, now.queue.answered)) {
        case not_answered:
            base::log_warn("no jobs are answered",
                           {{"state", name_of(now.queue.state)}, {"trouble", trouble_of(now)}});
            break;
        case taken_again:
            base::log_info("jobs are taken again");
            break;
        case answered_again:
            base::log_info("jobs are answered again");
            break;
        case none:
            break;
    }
}

// Which database it is and what is in it: a wrong store.path, or an empty file, is seen here.
asio::awaitable<void> service::tell_of_database() {
    auto const opened = store_->opened_as();
    auto const id = store::id_text(opened.id);
    if (opened.was_empty)
        base::log_warn("the database file was empty: a new database was made in it",
                       {{"file", opened.place}, {"id", id}});
    else if (opened.made)
        base::log_info("a new database was made", {{"file", opened.place}, {"id", id}});
    if (opened.made) co_return;
    // Counting millions of rows takes a moment, and nothing waits for it.
    auto const all = co_await store_->count("");
    if (!all) {
        base::log_warn("database opened, and cannot be counted",
                       {{"file", opened.place}, {"id", id}, {"error", all.error().message}});
        co_return;
    }
    base::log_info("database opened", {{"file", opened.place},
                                       {"id", id},
                                       {"version", opened.version},
                                       {"from_version", opened.from_version},
                                       {"users", all->users},
                                       {"turns", all->turns},
                                       {"memories", all->memories}});
}

// Who was forgotten after the copy was made that somebody has put back must not be met again, by nobody.
// Until that is certain nothing is taken.
asio::awaitable<void> service::forget_again() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    base::repeated told;
    not_forgotten_ = "users who were forgotten after a backup was made are looked for";
    while (!stopping_) {
        auto const again = co_await store_->forget_again();
        if (again) {
            if (*again > 0)
                base::log_warn("users who were forgotten after the backup was made are forgotten again",
                               {{"users", *again}});
            break;
        }
        not_forgotten_ = again.error().message;
        if (auto const times = told.tell(not_forgotten_, clock_.steady()))
            base::log_error("no jobs are taken: who was forgotten is not known",
                            {{"error", not_forgotten_}, {"repeated", *times}});
        if (again.error().damaged) {
            health_.shut_for_good(again.error().message);
            break;
        }
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
    }
    not_forgotten_.clear();
}

// Whether what is stored is still kept; otherwise nothing is taken.
asio::awaitable<void> service::watch_store() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        co_await health_.look();
        if (!health_.moved_on().empty()) give_up(health_.moved_on());
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// That this loop still turns, and what it does, whenever that has changed.
asio::awaitable<void> service::tell_systemd() {
    bool const watched = sd_watchdog_enabled(0, nullptr) > 0;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    std::string told;
    for (;;) {
        clock_.set_floor(safe_time_.not_before());
        auto const now = current_status();
        if (!stopping_) log_readiness(now);
        if (auto line = to_line(now); line != told) {
            told = std::move(line);
            tell_supervisor("STATUS=" + told);
        }
        if (watched) tell_supervisor("WATCHDOG=1");
        timer.expires_after(1s);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// As many jobs as the gate lets through, and no more than the provider has room for; none that could not be
// kept.
void service::apply_intake() {
    if (stopping_) return;
    using kept = store::health::state;
    using enum claude::gate::state;
    auto const gate = gate_.current();
    auto const store = health_.current();
    auto const most = store == kept::well    ? config_.queue.max_in_flight
                      : store == kept::trial ? std::size_t{1}
                                             : std::size_t{0};
    auto const asked = gate == open ? room_.value_or(most) : std::size_t(gate == trial ? 1 : 0);
    queue_.set_limit(std::min(most, asked));
}

void service::reload_config() {
    // systemd wants to know since when, or takes an old READY for the end of this reload.
    auto const since =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch());
    tell_supervisor("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since.count()));
    if (auto const fresh = reload_()) {
        auto plan = plan_reload(config_, fresh->fresh);
        for (auto const key : plan.need_restart)
            base::log_warn("a changed setting needs a restart", {{"key", key}});
        config_ = std::move(plan.next);
        base::log_set_level(config_.log.level);
        chat_.set_options(config_.chat);
        summaries_.set_options(summaries_of(config_));
        consolidator_.set_options(config_.consolidation);
        upkeep_.set_options(upkeep_of(config_));
        admin_.set_types(config_.chat.types);
        claude_->set_api_key(fresh->key);
        if (embedder_) embedder_->set_api_key(fresh->fresh.embedding.api_key);
        claude_->set_fallbacks(config_.claude.fallback_models, config_.claude.fallback_on_overload);
        models_.changed();
        gate_.try_now();
        health_.reconsider();
        base::log_info("configuration reloaded", {{"changed", plan.applied.size()}});
    }
    tell_supervisor("READY=1");
}

}  // namespace engram::daemon
