#include "queue/admin_queue.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "queue/job_reading.hpp"
#include "queue/loose_members.hpp"
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

constexpr milliseconds pause_after_error = 250ms;
constexpr milliseconds longest_pause = 2s;
constexpr milliseconds longest_farewell = 3s;  // for a connection, at the end
constexpr std::size_t longest_op = 64;         // that is told again: the bytes are the producer's
constexpr char whose[] = "the list of admin requests";

}  // namespace

admin_queue::admin_queue(options options, std::function<std::string()> incarnation,
                         asio::any_io_executor executor)
    : options_(std::move(options)),
      incarnation_(std::move(incarnation)),
      changed_(executor),
      connection_(options_.server, "engramd-admin", executor),
      list_(options_.prefix + ":admin"),
      waiter_(connection_, list_, whose, "waiting for requests"),
      trouble_(whose, "not registered yet"),
      pauses_(pause_after_error, longest_pause),
      connecting_(executor),
      service_(executor) {}

void admin_queue::start(handler handler) {
    handler_ = std::move(handler);
    connecting_.keep_up("redis-admin", [this] { return connection_.run(); });
    service_.keep_up("admin", [this] { return serve(); });
}

asio::awaitable<void> admin_queue::stop(base::steady_time until) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    stopping_ = true;
    stop_at_ = std::min(stop_at_, until);
    trouble_.mute();
    waiter_.trouble().mute();
    changed_.notify_all();
    while (busy_ && steady_clock::now() < stop_at_)
        co_await changed_.wait_until(stop_at_);
    hurrying_ = true;
    changed_.notify_all();
    co_await service_.stop();
    co_await connecting_.stop();
}

void admin_queue::hurry() {
    stop_at_ = steady_clock::now();
    changed_.notify_all();
}

std::string admin_queue::trouble() const {
    return connection_.is_up() ? trouble_.text() : connection_.trouble();
}

std::string admin_queue::failure() const {
    return connection_.is_up() ? trouble_.broken() : connection_.trouble();
}

// Ends early when it is to stop.
asio::awaitable<void> admin_queue::pause(milliseconds length) {
    auto const until = steady_clock::now() + length;
    while (!stopping_ && steady_clock::now() < until)
        co_await changed_.wait_until(until);
}

// Ends when it is stopped.
asio::awaitable<void> admin_queue::serve() {
    while (!stopping_) {
        auto taken = co_await take();
        if (stopping_) break;  // what came is given back with all that this instance has
        if (taken)
            co_await answer(std::move(*taken));
        else if (trouble_.empty())
            co_await waiter_.wait(changed_);
        else
            co_await pause(pauses_.next());
    }
    while (!service_.is_stopping())
        co_await changed_.wait();
}

// A request that is more than Redis gives would be taken, and lost with the connection, for ever.
asio::awaitable<std::optional<admin_queue::request>> admin_queue::take() {
    bool steady = false;
    if (losses_ > 0) steady = co_await connection_.wait_until_steady(steady_clock::now() + longest_pause);
    request one;
    one.instance = incarnation_();
    milliseconds const ttl = options_.reply_ttl;
    std::vector<std::string> const arguments{options_.prefix,
                                             one.instance,
                                             std::to_string(options_.max_job_bytes),
                                             std::to_string(ttl.count()),
                                             list_argument(options_.reply_prefixes),
                                             losses_ > most_losses_alone ? "1" : ""};
    auto answer = co_await all_scripts().admin_take.run(connection_, list_, arguments);
    if (!answer) {
        trouble_.note(answer.error(), "taking a request");
        if (answer.error().with_connection && (losses_ == 0 || steady)) ++losses_;
        co_return std::nullopt;
    }
    losses_ = 0;
    auto& items = answer->items;
    if (items.empty() || items[0].as_integer() == 0) {
        trouble_.set("this instance is not registered");
        pauses_.reset();  // it will be soon
        co_return std::nullopt;
    }
    if (items.size() == 2) {
        trouble_.note({redis::error_kind::refused, items[1].text}, "burying a request that is too large");
        co_return std::nullopt;
    }
    trouble_.clear();
    pauses_.reset();
    if (items.size() != 3) co_return std::nullopt;
    one.body = std::move(items[1].text);
    one.deaths = unsigned(std::max<std::int64_t>(0, items[2].as_integer()));
    co_return one;
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
        co_await settle(one, std::move(*outcome));
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

admin_answer admin_queue::error_to(request const& one, std::string_view type,
                                   std::string const& message) const {
    // It is no job, but id and reply_to are a job's, and are read even if the rest is wrong.
    auto const named =
        find_address(one.body, {options_.prefix, &options_.reply_prefixes, options_.max_job_bytes});
    auto const op = find_texts(one.body, {"op"})["op"];
    admin_answer outcome;
    outcome.id = named.id;
    outcome.reply_to = named.reply_to.empty() && !named.id.empty()
                           ? default_reply_key(options_.prefix, named.id)
                           : named.reply_to;
    base::json_object_writer reply(outcome.reply);
    if (!named.id.empty()) reply.text("id", named.id);
    if (!op.empty() && op.size() <= longest_op) reply.text("op", op);
    reply.text("status", "error");
    reply.key("error");
    base::json_object_writer error(outcome.reply);
    error.text("type", type);
    error.text("message", message);
    error.boolean("retryable", false);
    error.end();
    reply.end();
    return outcome;
}

admin_answer admin_queue::poisoned(request const& one) const {
    auto const message =
        "the request was given up: it ended " + std::to_string(one.deaths) + " times with a daemon's death";
    auto outcome = error_to(one, "poisoned", message);
    outcome.dead = dead_letter{"poisoned", message};
    return outcome;
}

asio::awaitable<void> admin_queue::settle(request const& one, admin_answer outcome) {
    base::backoff pauses(pause_after_error, longest_pause);
    suspicion suspect(outcome.reply.size());
    for (;;) {
        bool const settled = co_await try_settle(one, outcome, suspect);
        if (settled || hurrying_) co_return;
        if (suspect.is_proven()) {
            auto const message = too_large_text("the answer", outcome.reply.size());
            base::log_error("the answer to an admin request is larger than Redis takes",
                            {{"request", outcome.id},
                             {"bytes", outcome.reply.size()},
                             {"cure", "raise proto-max-bulk-len and client-query-buffer-limit"}});
            outcome = error_to(one, "internal", message);
            if (outcome.reply_to.empty()) outcome.dead = dead_letter{"internal", message};
            suspect = suspicion(outcome.reply.size());
            continue;
        }
        auto const until = steady_clock::now() + pauses.next();
        while (!hurrying_ && steady_clock::now() < until)
            co_await changed_.wait_until(until);
    }
}

asio::awaitable<bool> admin_queue::try_settle(request const& one, admin_answer const& outcome,
                                              suspicion& suspect) {
    // Nothing else is on this connection: if it is lost while it is steady, the answer is to blame.
    bool alone = false;
    if (suspect.goes_alone())
        alone = co_await connection_.wait_until_steady(steady_clock::now() + longest_pause);
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
        trouble_.note(answer.error(), "answering a request");
        suspect.failed(answer.error(), alone);
        co_return false;
    }
    if (answer->items.size() != 2) co_return true;
    auto const finished = answer->items[0].as_integer();
    auto const& refused = answer->items[1].text;
    if (finished != 0) ++answered_;
    if (finished == 0)
        base::log_info("an admin request was answered already, was cancelled, or is another instance's",
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
    if (!answer) trouble_.note(answer.error(), "giving a request back");
}

}  // namespace engram::queue
