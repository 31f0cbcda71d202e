#include "redis/client.hpp"

#include "base/backoff.hpp"
#include "base/deadline.hpp"
#include "base/log.hpp"
#include "redis/greeting.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace engram::redis {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr milliseconds first_pause = 50ms;
constexpr milliseconds long_enough = 1s;  // a connection that lasted so long was a good one
constexpr milliseconds steady_after = 100ms;
constexpr milliseconds last_words = 100ms;  // of a server that closes the connection

}  // namespace

client::client(options options, std::string name, asio::any_io_executor executor)
    : options_(std::move(options)),
      name_(std::move(name)),
      locator_(options_),
      connector_(locator_.needs_tls(), options_.ca_file),
      executor_(executor),
      something_to_write_(executor),
      came_up_(executor),
      give_up_(executor) {
    address_ = locator_.configured();
}

client::~client() = default;

asio::awaitable<void> client::run() {
    base::backoff pauses(first_pause, options_.backoff_max);
    // However this ends, the connection is closed at once.
    struct hang_up {
        client& self;
        ~hang_up() { self.stream_.reset(); }
    } const end{*this};
    for (;;) {
        auto said = co_await open_connection(steady_clock::now() + options_.connect_timeout);
        is_locked_out_ = said.refuses_login;
        remarks_ = std::move(said.remarks);
        if (said.problem.empty()) {
            auto const begun = steady_clock::now();
            co_await serve_connection();
            stream_.reset();
            if (steady_clock::now() - begun > long_enough) {
                pauses.reset();
                failures_.over();
            }
        } else {
            stream_.reset();
            trouble_ = std::move(said.problem);
            locator_.failed();
        }
        auto const pause = pauses.next();
        if (auto const untold = failures_.tell(trouble_, steady_clock::now()))
            base::log_warn("no connection to Redis", {{"redis", address_.to_text()},
                                                      {"connection", name_},
                                                      {"error", trouble_},
                                                      {"next_try_ms", pause.count()},
                                                      {"repeated", *untold}});
        asio::steady_timer timer(executor_, pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// Finds the server, connects, says who we are.
asio::awaitable<greeting> client::open_connection(base::steady_time until) {
    greeting said;
    auto const place = co_await locator_.find(connector_, until);
    if (!place) {
        said.problem = place.error();
        co_return said;
    }
    address_ = *place;
    auto made = co_await connector_.connect(address_, until);
    if (!made) {
        said.problem = address_.to_text() + ": " + made.error();
        co_return said;
    }
    stream_ = std::move(*made);
    reader_ = resp_reader();
    said = co_await greet(*stream_, reader_, address_, name_, until);
    locator_.learn(std::move(said.nodes));
    if (said.problem.empty())
        locator_.found();
    else
        said.problem.insert(0, address_.to_text() + ": ");
    co_return said;
}

// Both directions until one of them fails, a command goes unanswered, or the caller is cancelled.
asio::awaitable<void> client::serve_connection() {
    // However this coroutine ends, no caller is left waiting for an answer on the lost connection.
    struct goodbye {
        client& self;
        std::string why = "the connection was closed";
        ~goodbye() { self.lose_connection(std::move(why)); }
    } end{*this};

    up_ = true;
    up_since_ = steady_clock::now();
    dead_ = redirected_ = false;
    ++generation_;
    trouble_.clear();
    base::log_info("connected to Redis", {{"redis", address_.to_text()}, {"connection", name_}});
    came_up_.notify_all();
    // Not `||`, which waits for the first success: an exception would stay hidden until then.
    auto const executor = co_await asio::this_coro::executor;
    auto group =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, read_answers(), asio::deferred),
                                                asio::co_spawn(executor, write_commands(), asio::deferred),
                                                asio::co_spawn(executor, give_up_.wait(), asio::deferred));
    auto const [order, read_failure, read_end, write_failure, write_end, wait_failure] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    std::exception_ptr const failures[] = {read_failure, write_failure, wait_failure};
    if (failures[order[0]]) std::rethrow_exception(failures[order[0]]);
    end.why = order[0] == 0 ? read_end : order[0] == 1 ? write_end : give_up_reason_;
    if (order[0] == 1) {
        up_ = false;
        // Redis may have said why it takes no more.
        co_await base::with_deadline(steady_clock::now() + last_words, read_answers());
    }
    // After a lost connection it is not known whether its server is still the master.
    if (!redirected_) locator_.failed();
}

asio::awaitable<std::string> client::read_answers() {
    std::vector<char> buffer(read_bytes);
    for (;;) {
        auto const read = co_await stream_->read_some(buffer);
        if (!read.outcome.ok()) co_return read.outcome.what;
        reader_.feed({buffer.data(), read.bytes});
        for (;;) {
            auto value = reader_.next();
            if (!value) co_return "what Redis sent is not RESP: " + value.error();
            if (!*value) break;
            if (!deliver(std::move(**value))) co_return "Redis sent an answer without a command for it";
        }
    }
}

asio::awaitable<std::string> client::write_commands() {
    std::string sending;
    for (;;) {
        while (outbox_.empty())
            co_await something_to_write_.wait();
        sending.clear();
        sending.swap(outbox_);
        auto const written = co_await stream_->write(sending);
        if (!written.ok()) co_return written.what;
        if (sending.capacity() > 1024 * 1024) sending = std::string();
    }
}

bool client::deliver(value value) {
    if (waiting_.empty()) return false;
    if (value.kind == value_kind::error) look_for_the_master(value.text);
    auto* const first = waiting_.front();
    waiting_.pop_front();
    if (!first) return true;
    first->answered = true;
    first->value = std::move(value);
    first->wake.cancel();
    return true;
}

// After some answers this server would refuse every further command too.
void client::look_for_the_master(std::string_view error) {
    if (error.starts_with("MOVED ")) {
        redirected_ = locator_.moved(error, address_);
        give_up("its keys are at another node: " + std::string(error));
    } else if (error.starts_with("READONLY ") || error.find("-READONLY ") != std::string_view::npos) {
        give_up("it has become a replica");
    } else if (error.starts_with("CLUSTERDOWN ")) {
        give_up("its cluster is down, or it is cut off from it");
    }
}

void client::give_up(std::string why) {
    if (std::exchange(dead_, true)) return;
    give_up_reason_ = std::move(why);
    give_up_.notify_all();
}

void client::lose_connection(std::string why) {
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

asio::awaitable<bool> client::wait_until_up(base::steady_time until) {
    while (!up_) {
        bool const woken = co_await came_up_.wait_until(until);
        if (!woken) break;
    }
    co_return up_;
}

asio::awaitable<bool> client::answers() {
    auto const answer = co_await command({"PING"});
    co_return answer || !answer.error().leaves_doubt();
}

asio::awaitable<bool> client::wait_until_steady(base::steady_time until) {
    do {
        bool const up = co_await wait_until_up(until);
        if (!up) co_return false;
        auto const met = generation_;
        asio::steady_timer timer(executor_, std::min(up_since_ + steady_after, until));
        co_await timer.async_wait(asio::use_awaitable);
        if (!up_ || generation_ != met) continue;
        if (steady_clock::now() < up_since_ + steady_after) break;
        // Not given up with the connection: the patience that ends here is the caller's.
        auto const answered = co_await base::with_deadline(until, answers());
        if (answered.value_or(false) && up_ && generation_ == met) co_return true;
    } while (steady_clock::now() < until);
    co_return false;
}

asio::awaitable<result<value>> client::command(std::vector<std::string_view> arguments,
                                               milliseconds patience) {
    std::string bytes;
    append_command(bytes, arguments);
    auto const limit = options_.command_timeout + patience;
    std::uint64_t written_on = 0;
    auto answer = co_await send(bytes, limit, written_on);
    // A command that blocks on purpose is repeated by its caller.
    bool const elsewhere = patience.count() == 0 && !answer && answer.error().has_code("MOVED ");
    if (!elsewhere) co_return answer;
    // It has not run: it is sent once more, to the node that was named.
    auto const until = steady_clock::now() + limit;
    while (generation_ == written_on || !up_) {
        bool const woken = co_await came_up_.wait_until(until);
        if (!woken) co_return answer;
    }
    answer = co_await send(bytes, limit, written_on);
    co_return answer;
}

asio::awaitable<result<value>> client::send(std::string const& bytes, milliseconds limit,
                                            std::uint64_t& written_on) {
    if (!up_) {
        bool const up = co_await wait_until_up(steady_clock::now() + limit);
        if (!up) co_return error{error_kind::disconnected, trouble_};
    }

    written_on = generation_;
    pending me(executor_);
    bool const wake_writer = outbox_.empty();
    auto const written = outbox_.size();
    outbox_ += bytes;
    // Both or neither, or every later caller would get the answer to another command.
    try {
        waiting_.push_back(&me);
    } catch (...) {
        outbox_.resize(written);
        throw;
    }
    // The entry points into this coroutine; if it ends early, a null entry stays for its answer.
    struct departure {
        client& self;
        pending& me;
        ~departure() {
            if (!me.answered && !me.lost)
                *std::find(self.waiting_.begin(), self.waiting_.end(), &me) = nullptr;
        }
    } const departing{*this, me};
    if (wake_writer) something_to_write_.notify_one();

    // The limit counts from here: the time spent waiting for a connection must not make a healthy one look
    // dead.
    me.wake.expires_after(limit);
    co_await me.wake.async_wait(asio::as_tuple(asio::use_awaitable));
    if (me.answered) {
        if (me.value.kind == value_kind::error)
            co_return error{error_kind::refused, std::move(me.value.text)};
        co_return std::move(me.value);
    }
    if (me.lost) co_return error{error_kind::disconnected, trouble_, true};
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    give_up("a command was not answered in time");
    co_return error{error_kind::timeout, address_.to_text() + ": no answer in time"};
}

}  // namespace engram::redis
