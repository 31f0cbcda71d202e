#include "queue/redis.hpp"

#include "base/deadline.hpp"
#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr milliseconds first_pause = 50ms;

// Between half of `ceiling` and all of it, so that many daemons do not come back in step.
milliseconds jittered(milliseconds ceiling) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    return milliseconds(
        std::uniform_int_distribution<std::int64_t>(ceiling.count() / 2, ceiling.count())(random));
}

}  // namespace

redis::redis(redis_options options, std::string name, asio::any_io_executor executor)
    : options_(std::move(options)),
      name_(std::move(name)),
      executor_(executor),
      something_to_write_(executor),
      came_up_(executor),
      give_up_(executor) {
    auto address = parse_redis_url(options_.url);
    if (!address) throw std::invalid_argument("the Redis URL " + address.error());
    address_ = std::move(*address);
    if (address_.kind == redis_address::kind::tls) tls_ = make_tls_context(options_.ca_file);
}

redis::~redis() = default;

asio::awaitable<void> redis::run() {
    milliseconds ceiling = first_pause;
    // However this ends, Redis learns at once that nobody is here any more.
    struct hang_up {
        redis& self;
        ~hang_up() { self.transport_.reset(); }
    } const end{*this};
    for (;;) {
        auto const started = steady_clock::now();
        auto made = co_await connect(address_, tls_, started + options_.connect_timeout);
        if (made) {
            transport_ = std::move(*made);
            reader_ = resp_reader();
            auto const greeted = co_await greet(started + options_.connect_timeout);
            if (greeted) {
                ceiling = first_pause;
                co_await serve_connection();
                // Closing a connection because we are to stop looks like losing it.
                auto const state = co_await asio::this_coro::cancellation_state;
                if (state.cancelled() != asio::cancellation_type::none)
                    throw boost::system::system_error(asio::error::operation_aborted);
            } else {
                trouble_ = greeted.error();
            }
            transport_.reset();
        } else {
            trouble_ = made.error();
        }
        // The transport tells cancellation like any other error.
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
        auto const pause = jittered(ceiling);
        base::log_warn("no connection to Redis", {{"redis", address_.to_text()},
                                                  {"connection", name_},
                                                  {"error", trouble_},
                                                  {"next_try_ms", pause.count()}});
        ceiling = std::min(ceiling * 2, options_.backoff_max);
        asio::steady_timer timer(executor_, pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// AUTH, SELECT and the connection's name, before anybody else may use the connection.
asio::awaitable<base::result<void, std::string>> redis::greet(base::steady_time until) {
    std::vector<std::vector<std::string>> commands;
    if (!address_.password.empty() || !address_.user.empty()) {
        std::vector<std::string> auth{"AUTH"};
        if (!address_.user.empty()) auth.push_back(address_.user);
        auth.emplace_back(address_.password.reveal());
        commands.push_back(std::move(auth));
    }
    if (address_.db != 0) commands.push_back({"SELECT", std::to_string(address_.db)});
    commands.push_back({"CLIENT", "SETNAME", name_});
    commands.push_back({"PING"});
    for (auto const& command : commands) {
        std::string bytes;
        append_command(bytes, {command.begin(), command.end()});
        auto const answer = co_await base::with_deadline(until, ask_alone(std::move(bytes)));
        // What the deadline cuts short ends as a value, not as an exception.
        if (!answer || base::steady_time::clock::now() >= until)
            co_return address_.to_text() + ": no answer to " + command[0] + " in time";
        if (!*answer) co_return address_.to_text() + ": " + answer->error();
        auto const& value = **answer;
        // A restricted user may lack CLIENT or PING; the name is a courtesy.
        bool const courtesy = command[0] == "CLIENT" || command[0] == "PING";
        bool const forbidden = value.text.starts_with("NOPERM");
        if (value.kind == value_kind::error && !(courtesy && forbidden))
            co_return address_.to_text() + ": " + command[0] + ": " + value.text;
    }
    co_return base::result<void, std::string>();
}

asio::awaitable<base::result<redis_value, std::string>> redis::ask_alone(std::string bytes) {
    auto const write_error = co_await transport_->write(bytes);
    if (write_error) co_return write_error.message();
    std::array<char, 1024> buffer;
    for (;;) {
        auto value = reader_.next();
        if (!value) co_return value.error();
        if (*value) co_return std::move(**value);
        auto const read = co_await transport_->read_some(buffer);
        if (read.error) co_return read.error.message();
        reader_.feed({buffer.data(), read.bytes});
    }
}

// Both directions until one of them fails, a command goes unanswered, or the caller is cancelled.
asio::awaitable<void> redis::serve_connection() {
    using namespace asio::experimental::awaitable_operators;
    // Leaves no caller waiting on a connection that has gone, however this coroutine ends.
    struct goodbye {
        redis& self;
        std::string why = "the connection was closed";
        ~goodbye() { self.lose_connection(std::move(why)); }
    } end{*this};

    up_ = true;
    dead_ = false;
    ++generation_;
    trouble_.clear();
    base::log_info("connected to Redis", {{"redis", address_.to_text()}, {"connection", name_}});
    came_up_.notify_all();
    auto const ended = co_await (read_answers() || write_commands() || give_up_.wait());
    if (ended.index() == 0) end.why = std::get<0>(ended);
    if (ended.index() == 1) end.why = std::get<1>(ended);
    if (ended.index() == 2) end.why = "a command was not answered in time";
}

asio::awaitable<std::string> redis::read_answers() {
    std::vector<char> buffer(read_bytes);
    for (;;) {
        auto const read = co_await transport_->read_some(buffer);
        if (read.error) co_return read.error.message();
        reader_.feed({buffer.data(), read.bytes});
        for (;;) {
            auto value = reader_.next();
            if (!value) co_return "what Redis sent is not RESP: " + value.error();
            if (!*value) break;
            if (!deliver(std::move(**value))) co_return "Redis sent an answer that nobody asked for";
        }
    }
}

asio::awaitable<std::string> redis::write_commands() {
    std::string sending;
    for (;;) {
        while (outbox_.empty())
            co_await something_to_write_.wait();
        sending.clear();
        sending.swap(outbox_);
        auto const error = co_await transport_->write(sending);
        if (error) co_return error.message();
        if (sending.capacity() > 1024 * 1024) sending = std::string();
    }
}

bool redis::deliver(redis_value value) {
    if (waiting_.empty()) return false;
    auto* const first = waiting_.front();
    waiting_.pop_front();
    if (!first) return true;
    first->answered = true;
    first->value = std::move(value);
    first->wake.cancel();
    return true;
}

void redis::lose_connection(std::string why) {
    up_ = false;
    trouble_ = address_.to_text() + ": " + why;
    outbox_.clear();
    for (auto* const entry : waiting_) {
        if (!entry) continue;
        entry->lost = true;
        entry->wake.cancel();
    }
    waiting_.clear();
}

asio::awaitable<bool> redis::wait_until_up(base::steady_time until) {
    while (!up_) {
        bool const woken = co_await came_up_.wait_until(until);
        if (!woken) break;
    }
    co_return up_;
}

asio::awaitable<redis_result<redis_value>> redis::command(std::vector<std::string_view> arguments,
                                                          milliseconds patience) {
    std::string bytes;
    append_command(bytes, arguments);
    auto const limit = options_.command_timeout + patience;
    if (!up_) {
        bool const up = co_await wait_until_up(steady_clock::now() + limit);
        if (!up) co_return redis_error{redis_error_kind::disconnected, trouble_};
    }

    pending me(executor_);
    bool const wake_writer = outbox_.empty();
    auto const written = outbox_.size();
    outbox_ += bytes;
    // Both or neither, or every later caller would get its neighbour's answer.
    try {
        waiting_.push_back(&me);
    } catch (...) {
        outbox_.resize(written);
        throw;
    }
    // The entry points into this coroutine: whoever leaves early leaves a tombstone.
    struct departure {
        redis& self;
        pending& me;
        ~departure() {
            if (!me.answered && !me.lost)
                *std::find(self.waiting_.begin(), self.waiting_.end(), &me) = nullptr;
        }
    } const departing{*this, me};
    if (wake_writer) something_to_write_.notify_one();
    bytes = std::string();

    // Anew from here: what was used up waiting for a connection must not make a healthy one look dead.
    me.wake.expires_after(limit);
    co_await me.wake.async_wait(asio::as_tuple(asio::use_awaitable));
    if (me.answered) {
        if (me.value.kind == value_kind::error)
            co_return redis_error{redis_error_kind::refused, std::move(me.value.text)};
        co_return std::move(me.value);
    }
    if (me.lost) co_return redis_error{redis_error_kind::disconnected, trouble_};
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    if (!dead_) {
        dead_ = true;
        give_up_.notify_all();
    }
    co_return redis_error{redis_error_kind::timeout, address_.to_text() + ": no answer in time"};
}

}  // namespace engram::queue
