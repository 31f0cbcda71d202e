#include "daemon/check_redis.hpp"

#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "daemon/judge_redis.hpp"
#include "queue/scripts.hpp"
#include "redis/client.hpp"
#include "redis/server_check.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace engram::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

using enum finding::grade;

constexpr milliseconds between_looks = 20ms;
constexpr std::int64_t many_dead_letters = 10'000;

// What is asked of one server.
class questions {
public:
    questions(redis::client& redis, queue::options const& options) : redis_(redis), options_(options) {}

    // The answers so far stay where one of them ends it.
    asio::awaitable<void> ask_all() {
        bool const up = co_await connect();
        if (!up) {
            add(judge_no_connection(redis_.trouble(), redis_.is_locked_out()));
            co_return;
        }
        for (auto const& remark : redis_.remarks())
            add({warning, remark});
        bool const informed = co_await ask_server();
        if (!informed) co_return;
        bool const allowed = co_await ask_rights();
        if (!allowed) co_return;
        co_await ask_clock();
        co_await ask_settings();
        co_await ask_queue();
        co_await ask_database();
    }

    findings found;

private:
    void add(finding one) { found.push_back(std::move(one)); }

    // A full one is told of once, though its answer to INFO said it before.
    void add_refusal(std::string const& refusal) {
        auto told = judge_refusal(refusal);
        auto const is_full = [](finding const& one) { return one.what.starts_with(redis_is_full); };
        if (is_full(told)) std::erase_if(found, is_full);
        add(std::move(told));
    }

    // False if there is no answer at all.
    bool note_silence(redis::error const& why) {
        if (!why.leaves_doubt()) return false;
        add({failure, "Redis gave no answer (" + why.message + ')', "see whether it hangs, or is cut off",
             true});
        return true;
    }

    // The first failure tells; the client itself would try again.
    asio::awaitable<bool> connect() {
        auto const before = redis_.trouble();
        for (auto const until = steady_clock::now() + check_patience; steady_clock::now() < until;) {
            bool const up = co_await redis_.wait_until_up(steady_clock::now() + between_looks);
            if (up || redis_.trouble() != before) break;
        }
        co_return redis_.is_up();
    }

    asio::awaitable<bool> ask_server() {
        auto const begun = steady_clock::now();
        auto const info = co_await redis_.command({"INFO"});
        auto const took = std::to_string(base::elapsed_ms(begun, steady_clock::now()));
        auto const place = " at " + redis_.address().to_text() + ", " + took + " ms";
        if (info) {
            add({ok, "Redis " + std::string(redis::info_field(info->text, "redis_version")) + place});
            for (auto& one : judge_server(info->text, options_.prefix))
                add(std::move(one));
            co_return true;
        }
        if (note_silence(info.error())) co_return false;
        add({ok, "Redis" + place});
        add({warning,
             "Redis does not tell its settings, so they were not looked at (" + info.error().message + ')',
             "+info for its user, as in docs/redis.md"});
        co_return true;
    }

    asio::awaitable<bool> ask_rights() {
        auto const jobs = options_.prefix + ":jobs", probe = options_.prefix + ":probe";
        std::vector<std::string> const arguments{options_.prefix, "check",
                                                 queue::list_argument(options_.reply_prefixes)};
        auto const tried = co_await queue::all_scripts().check.run(redis_, jobs, arguments);
        if (!may(tried)) co_return false;
        if (!tried->text.empty()) {
            add_refusal(tried->text);
            co_return false;
        }
        // Redis may have known the script already.
        auto const evaluated = co_await redis_.command({"EVAL", "return 0", "1", jobs});
        if (!may(evaluated)) co_return false;
        // No script may wait. There is nothing at P:probe.
        auto const waited = co_await redis_.command({"BLMOVE", probe, probe, "LEFT", "LEFT", "0.01"});
        if (!may(waited)) co_return false;
        add({ok, "the Redis user may do all that is needed below " + options_.prefix + ":"});
        co_return true;
    }

    // If not, why is told.
    bool may(redis::result<redis::value> const& answer) {
        if (!answer && !note_silence(answer.error())) add_refusal(answer.error().message);
        return answer.has_value();
    }

    asio::awaitable<void> ask_clock() {
        auto const before = std::chrono::system_clock::now();
        auto const told = co_await redis_.command({"TIME"});
        auto const after = std::chrono::system_clock::now();
        if (!told || told->items.size() != 2) co_return;
        std::chrono::microseconds const since_1970(told->items[0].as_integer() * 1'000'000 +
                                                   told->items[1].as_integer());
        auto const here = before.time_since_epoch() + (after - before) / 2;
        add(judge_clock("Redis", std::chrono::duration_cast<milliseconds>(here - since_1970)));
    }

    asio::awaitable<void> ask_settings() {
        constexpr std::array<std::string_view, 5> names{"proto-max-bulk-len", "client-query-buffer-limit",
                                                        "lua-time-limit", "timeout",
                                                        "client-output-buffer-limit"};
        for (auto const name : names) {
            auto const told = co_await redis_.command({"CONFIG", "GET", name});
            if (!told) {
                add({note, "Redis does not tell its limits to this user, compare them with docs/redis.md (" +
                               told.error().message + ')'});
                co_return;
            }
            if (told->items.size() < 2) continue;
            if (auto odd = judge_setting(name, told->items[1].text, options_.lease)) add(std::move(*odd));
        }
    }

    asio::awaitable<void> ask_queue() {
        auto const paused_key = options_.prefix + ":paused", dead_key = options_.prefix + ":dead";
        auto const paused = co_await redis_.command({"EXISTS", paused_key});
        if (paused && paused->as_integer() > 0)
            add({warning, "the queue is paused: no jobs are taken", "engramctl queue resume"});
        auto const dead = co_await redis_.command({"XLEN", dead_key});
        if (dead && dead->as_integer() > many_dead_letters)
            add({warning, std::to_string(dead->as_integer()) + " dead letters are kept in Redis",
                 "engramctl dead list, engramctl dead drop; queue.dead_max_count bounds them"});
    }

    // What daemons at work have told of theirs.
    asio::awaitable<void> ask_database() {
        auto const database_key = options_.prefix + ":database";
        auto const told = co_await redis_.command({"HGET", database_key, "id"});
        if (!told || options_.database.empty()) co_return;
        auto const theirs = told->text.substr(0, told->text.find('.'));
        if (theirs.empty() || theirs == options_.database) co_return;
        add({failure,
             "another database serves the queue " + options_.prefix + " (id " + theirs + "; this one has " +
                 options_.database + "): no jobs would be taken beside it",
             "give this daemon the same store.path, or another redis.prefix; after a restore wait until its "
             "lease of " +
                 std::to_string(options_.lease.count()) + " ms is over",
             true});
    }

    redis::client& redis_;
    queue::options const& options_;
};

}  // namespace

asio::awaitable<findings> check_redis(queue::options options) {
    options.server.connect_timeout = std::min(options.server.connect_timeout, check_patience);
    options.server.command_timeout = std::min(options.server.command_timeout, check_patience);
    auto const executor = co_await asio::this_coro::executor;
    redis::client redis(options.server, "engramd-check", executor);
    questions asked(redis, options);
    base::task_group tasks(executor);
    tasks.spawn("redis", redis.run());
    std::exception_ptr thrown;
    try {
        co_await asked.ask_all();
    } catch (...) {
        thrown = std::current_exception();
    }
    tasks.cancel();
    co_await tasks.join();
    if (thrown) std::rethrow_exception(thrown);
    co_return std::move(asked.found);
}

}  // namespace engram::daemon
