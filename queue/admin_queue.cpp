#include "queue/admin_queue.hpp"

#include "base/log.hpp"
#include "queue/job.hpp"
#include "queue/scripts.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds push_wait = 1s;  // how long a request that was given back may go unseen
constexpr milliseconds pause_after_error = 250ms;
constexpr milliseconds longest_pause = 2s;
constexpr milliseconds pause_after_failure = 2s;
constexpr milliseconds longest_farewell = 3s;  // for a connection, at the end
constexpr std::size_t longest_op = 64;         // that is told again: the bytes are the producer's

}  // namespace

admin_queue::admin_queue(options options, std::function<std::string()> incarnation,
                         asio::any_io_executor executor)
    : options_(std::move(options)),
      incarnation_(std::move(incarnation)),
      executor_(executor),
      connection_(options_.server, "engramd-admin", executor),
      service_(executor),
      connecting_(executor),
      list_(options_.prefix + ":admin"),
      changed_(executor) {}

void admin_queue::start(handler handler) {
    handler_ = std::move(handler);
    connecting_.spawn("redis-admin", keep_up([this] { return connection_.run(); }));
    service_.spawn("admin", keep_up([this] { return serve(); }));
}

// Neither ends by itself but to stop; one that fails (no memory) starts anew.
asio::awaitable<void> admin_queue::keep_up(std::function<asio::awaitable<void>()> service) {
    while (!stopping_) {
        try {
            co_await service();
        } catch (boost::system::system_error const& error) {
            if (error.code() == asio::error::operation_aborted) throw;
            base::log_error("the answering of admin requests failed and starts anew",
                            {{"error", error.what()}});
        } catch (std::exception const& error) {
            base::log_error("the answering of admin requests failed and starts anew",
                            {{"error", error.what()}});
        }
        co_await pause(pause_after_failure);
    }
}

asio::awaitable<void> admin_queue::stop(base::steady_time until) {
    stopping_ = true;
    stop_until_ = until;
    changed_.notify_all();
    while (busy_ && steady_clock::now() < stop_until_)
        co_await changed_.wait_until(stop_until_);
    hurrying_ = true;
    changed_.notify_all();
    service_.cancel();
    co_await service_.join();
    connecting_.cancel();
    co_await connecting_.join();
}

void admin_queue::hurry() {
    stop_until_ = steady_clock::now();
    changed_.notify_all();
}

std::string admin_queue::trouble() const {
    return connection_.is_up() ? trouble_ : connection_.trouble();
}

void admin_queue::note_trouble(redis::error const& error, std::string_view doing) {
    auto const code = [](std::string const& text) { return text.substr(0, text.find(' ')); };
    if (!stopping_ && code(trouble_) != code(error.message))
        base::log_warn("the list of admin requests has trouble with Redis",
                       {{"while", doing}, {"error", error.message}});
    trouble_ = error.message;
}

// Ends early when it is to stop.
asio::awaitable<void> admin_queue::pause(milliseconds length) {
    auto const until = steady_clock::now() + length;
    while (!stopping_ && steady_clock::now() < until)
        co_await changed_.wait_until(until);
}

asio::awaitable<void> admin_queue::serve() {
    while (!stopping_) {
        auto taken = co_await take();
        if (stopping_) co_return;  // what came is given back with all that this instance has
        if (taken)
            co_await answer(std::move(*taken));
        else
            co_await wait_for_push();
    }
}

asio::awaitable<std::optional<admin_queue::request>> admin_queue::take() {
    request one;
    one.instance = incarnation_();
    std::vector<std::string> const arguments{options_.prefix, one.instance,
                                             std::to_string(options_.max_job_bytes)};
    auto answer = co_await all_scripts().admin_take.run(connection_, list_, arguments);
    if (!answer) {
        note_trouble(answer.error(), "taking a request");
        co_await pause(pause_after_error);
        co_return std::nullopt;
    }
    auto& items = answer->items;
    if (items.empty() || items[0].as_integer() == 0) {
        trouble_ = "this instance is not registered";
        co_await pause(pause_after_error);
        co_return std::nullopt;
    }
    if (items.size() == 2) {
        note_trouble({redis::error_kind::refused, items[1].text}, "burying a request that is too large");
        co_await pause(pause_after_error);
        co_return std::nullopt;
    }
    trouble_.clear();
    if (items.size() != 3) co_return std::nullopt;
    one.body = std::move(items[1].text);
    one.deaths = unsigned(std::max<std::int64_t>(0, items[2].as_integer()));
    co_return one;
}

// Returns when P:admin has something, or after a while. BLMOVE of a list onto its own end changes nothing:
// taking is left to the script, which looks whether this instance is registered in the same step.
asio::awaitable<void> admin_queue::wait_for_push() {
    if (!trouble_.empty()) co_return;
    auto const seconds = std::to_string(double(push_wait.count()) / 1000);
    auto const answer =
        co_await connection_.command({"BLMOVE", list_, list_, "RIGHT", "RIGHT", seconds}, push_wait);
    if (answer || answer.error().has_code("UNBLOCKED")) co_return;
    // Looking again and again does instead: a full Redis refuses BLMOVE, and still lets requests be taken.
    co_await pause(pause_after_error);
}

asio::awaitable<void> admin_queue::answer(request one) {
    struct departure {
        admin_queue& queue;
        ~departure() {
            queue.busy_ = false;
            queue.changed_.notify_all();
        }
    } const departing{*this};
    busy_ = true;
    bool failed = false;
    std::optional<admin_answer> outcome;
    if (one.deaths >= options_.max_deliveries)
        outcome = poisoned(one);
    else
        outcome = co_await ask_handler(one, failed);
    // What follows writes, so it must not be cut short by the cancellation that may have brought us here.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (outcome)
        co_await settle(one, *outcome);
    else
        co_await release(one, failed);
    if (failed) co_await pause(pause_after_error);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

// Nothing if it was cancelled or has failed.
asio::awaitable<std::optional<admin_answer>> admin_queue::ask_handler(request const& one, bool& failed) {
    try {
        auto outcome = co_await handler_(one.body);
        co_return outcome;
    } catch (boost::system::system_error const& error) {
        failed = error.code() != asio::error::operation_aborted;
        if (failed) base::log_error("an admin request ended with an error", {{"error", error.what()}});
    } catch (std::exception const& error) {
        failed = true;
        base::log_error("an admin request ended with an error", {{"error", error.what()}});
    }
    co_return std::nullopt;
}

admin_answer admin_queue::poisoned(request const& one) const {
    auto const message =
        "the request was given up: it ended " + std::to_string(one.deaths) + " times with a daemon's death";
    // It is no job, but id and reply_to are a job's, and are read even if the rest is wrong.
    auto read = parse_job(one.body, {options_.prefix, &options_.reply_prefixes, options_.max_job_bytes});
    bool const readable = read || read.error().readable;
    auto const& named = read ? *read : read.error().partial;
    auto const op = readable ? raw_member(one.body, "op") : "";
    admin_answer outcome;
    outcome.id = named.id;
    outcome.reply_to = named.reply_to.empty() && !named.id.empty()
                           ? default_reply_key(options_.prefix, named.id)
                           : named.reply_to;
    outcome.reply = named.id.empty() ? "{" : R"({"id":")" + named.id + "\",";
    if (op.starts_with('"') && op.size() <= longest_op + 2)
        outcome.reply += "\"op\":" + std::string(op) + ",";
    outcome.reply +=
        R"("status":"error","error":{"type":"poisoned","message":")" + message + R"(","retryable":false}})";
    outcome.dead = dead_letter{"poisoned", message};
    return outcome;
}

asio::awaitable<void> admin_queue::settle(request const& one, admin_answer const& outcome) {
    auto next_pause = pause_after_error;
    for (;;) {
        bool const settled = co_await try_settle(one, outcome);
        if (settled || hurrying_) co_return;
        auto const until = steady_clock::now() + next_pause;
        while (!hurrying_ && steady_clock::now() < until)
            co_await changed_.wait_until(until);
        next_pause = std::min(next_pause * 2, longest_pause);
    }
}

asio::awaitable<bool> admin_queue::try_settle(request const& one, admin_answer const& outcome) {
    auto const& dead = outcome.dead;
    milliseconds const ttl = options_.reply_ttl;
    std::vector<std::string> const arguments{options_.prefix,
                                             one.instance,
                                             one.body,
                                             outcome.reply_to,
                                             outcome.reply,
                                             std::to_string(ttl.count()),
                                             outcome.id,
                                             dead ? dead->reason : "",
                                             dead ? dead->message : ""};
    auto const answer = co_await all_scripts().admin_finish.run(connection_, list_, arguments);
    if (!answer) {
        note_trouble(answer.error(), "answering a request");
        co_return false;
    }
    if (answer->items.size() != 2) co_return true;
    auto const finished = answer->items[0].as_integer();
    auto const& refused = answer->items[1].text;
    if (finished != 0) ++answered_;
    if (finished == 0)
        base::log_info("an admin request was answered already, ended, or is in other hands",
                       {{"request", outcome.id}});
    else if (!refused.empty())
        base::log_warn(
            "Redis refused a part of an admin request's answer (reply, expiry, publishing, dead letter)",
            {{"request", outcome.id}, {"key", outcome.reply_to}, {"error", refused}});
    co_return true;
}

asio::awaitable<void> admin_queue::release(request const& one, bool failed) {
    if (stopping_) {
        bool const up = co_await connection_.wait_until_up(steady_clock::now() + longest_farewell);
        if (!up) co_return;  // it goes back when this instance leaves, or its lease ends
    }
    std::vector<std::string> const arguments{options_.prefix, one.instance, one.body, failed ? "1" : "0"};
    auto const answer = co_await all_scripts().admin_release.run(connection_, list_, arguments);
    // If it did not go back, take() gives it again.
    if (!answer) note_trouble(answer.error(), "giving a request back");
}

}  // namespace engram::queue
