// The client at work, with a Redis that behaves.
#include "support/loop.hpp"
#include "support/redis_server.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using redis::error_kind;
using redis::value_kind;

struct fixture : loop {
    redis_server server;
    client c{*this, server.url()};

    void play(task<void> (*body)(fixture&)) { run(body(*this)); }
};

// How many connections of this name Redis has.
std::size_t connections(redis_server& server, std::string const& name) {
    auto const list = server.command({"CLIENT", "LIST"});
    std::size_t count = 0;
    for (auto at = list.find("name=" + name + " "); at != std::string::npos;
         at = list.find("name=" + name + " ", at + 1))
        ++count;
    return count;
}

BOOST_FIXTURE_TEST_SUITE(redis_client, fixture)

BOOST_AUTO_TEST_CASE(many_coroutines_share_one_connection_and_each_gets_its_own_answer) {
    play([](fixture& f) -> task<void> {
        std::vector<std::unique_ptr<call>> calls;
        for (int i = 0; i < 2'000; ++i)
            calls.push_back(std::make_unique<call>(f.c, std::vector<std::string>{"ECHO", std::to_string(i)}));
        for (int i = 0; i < 2'000; ++i) {
            auto const answer = co_await calls[std::size_t(i)]->answer();
            BOOST_REQUIRE(answer.has_value());
            BOOST_REQUIRE(answer->text == std::to_string(i));
        }
        BOOST_TEST(connections(f.server, "test") == 1u);
        BOOST_TEST(f.c.redis.generation() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(commands_run_in_the_order_in_which_they_were_given) {
    play([](fixture& f) -> task<void> {
        std::vector<std::unique_ptr<call>> calls;
        std::string expected;
        for (int i = 0; i < 500; ++i) {
            calls.push_back(
                std::make_unique<call>(f.c, std::vector<std::string>{"RPUSH", "l", std::to_string(i)}));
            expected += (i ? "\n" : "") + std::to_string(i);
        }
        for (auto& one : calls)
            co_await one->answer();
        BOOST_TEST(f.server.command({"LRANGE", "l", "0", "-1"}) == expected);
    });
}

BOOST_AUTO_TEST_CASE(a_command_given_before_there_is_a_connection_waits_for_it) {
    client later(*this, redis_at(server.url()));
    run([](client& l) -> task<void> {
        BOOST_TEST(!l.redis.is_up());
        BOOST_TEST(!l.redis.trouble().empty());
        call early(l, {"ECHO", "early"});
        l.start();
        auto const answer = co_await early.answer();
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->text == "early");
        BOOST_TEST(l.redis.is_up());
        BOOST_TEST(l.redis.trouble().empty());
    }(later));
}

BOOST_AUTO_TEST_CASE(every_kind_of_answer_arrives) {
    play([](fixture& f) -> task<void> {
        auto const nil = co_await f.c.redis.command({"GET", "nothing"});
        BOOST_TEST(nil->is_nil());
        auto const number = co_await f.c.redis.command({"RPUSH", "l", "a", "", "c"});
        BOOST_TEST(number->integer == 3);
        auto const list = co_await f.c.redis.command({"LRANGE", "l", "0", "-1"});
        BOOST_REQUIRE(list->items.size() == 3u);
        BOOST_TEST(list->items[1].text.empty());
        BOOST_TEST(list->items[2].text == "c");
        auto const nested = co_await f.c.redis.command({"EVAL", "return {1,{2,{3,'x'}}}", "0"});
        BOOST_TEST(nested->items.at(1).items.at(1).items.at(1).text == "x");
    });
}

BOOST_AUTO_TEST_CASE(an_error_answer_is_a_refusal_with_its_code_and_harms_nobody_else) {
    play([](fixture& f) -> task<void> {
        f.server.command({"SET", "text", "x"});
        call before(f.c, {"ECHO", "1"});
        call wrong(f.c, {"LPUSH", "text", "x"});
        call unknown(f.c, {"NOSUCHCOMMAND"});
        call after(f.c, {"ECHO", "2"});
        auto const first = co_await wrong.answer();
        BOOST_REQUIRE(first.has_error());
        BOOST_TEST((first.error().kind == redis::error_kind::refused));
        BOOST_TEST(first.error().has_code("WRONGTYPE"));
        auto const second = co_await unknown.answer();
        BOOST_TEST((second.has_error() && second.error().has_code("ERR")));
        auto const one = co_await before.answer();
        auto const two = co_await after.answer();
        BOOST_TEST(one->text == "1");
        BOOST_TEST(two->text == "2");
    });
}

BOOST_AUTO_TEST_CASE(huge_and_binary_values_go_there_and_back) {
    play([](fixture& f) -> task<void> {
        std::string big(20 * 1024 * 1024, '\0');
        for (std::size_t i = 0; i < big.size(); ++i)
            big[i] = char(i * 131 >> 3);
        call set(f.c, {"SET", "big", big});
        call get(f.c, {"GET", "big"});
        call small(f.c, {"ECHO", "behind"});
        auto const stored = co_await set.answer();
        BOOST_REQUIRE(stored.has_value());
        auto const back = co_await get.answer();
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST((back->text == big));
        auto const behind = co_await small.answer();
        BOOST_TEST(behind->text == "behind");
    });
}

BOOST_AUTO_TEST_CASE(arguments_need_not_outlive_the_call_that_was_begun) {
    play([](fixture& f) -> task<void> {
        std::vector<std::unique_ptr<call>> calls;
        for (int i = 0; i < 10; ++i)
            calls.push_back(std::make_unique<call>(
                f.c, std::vector<std::string>{"ECHO", std::string(100'000, char('a' + i))}));
        for (std::size_t i = 0; i < 10; ++i) {
            auto const answer = co_await calls[i]->answer();
            BOOST_TEST((answer->text == std::string(100'000, char('a' + int(i)))));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_caller_cancelled_in_mid_command_leaves_the_answers_of_others_alone) {
    play([](fixture& f) -> task<void> {
        call blocked(f.c, {"BLPOP", "list", "0"});
        call next(f.c, {"ECHO", "next"});
        co_await until("BLPOP waits", [&] {
            return f.server.command({"INFO", "clients"}).find("blocked_clients:1") != std::string::npos;
        });
        blocked.cancel();
        co_await until("the caller has left", [&] { return blocked.ended(); });
        BOOST_TEST(blocked.was_cancelled());
        call third(f.c, {"ECHO", "third"});
        f.server.command({"RPUSH", "list", "late"});
        auto const second_answer = co_await next.answer();
        BOOST_TEST(second_answer->text == "next");
        auto const third_answer = co_await third.answer();
        BOOST_TEST(third_answer->text == "third");
        BOOST_TEST(f.c.redis.generation() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(callers_may_be_cancelled_at_any_moment) {
    play([](fixture& f) -> task<void> {
        std::vector<std::unique_ptr<call>> calls;
        for (int i = 0; i < 300; ++i) {
            calls.push_back(std::make_unique<call>(f.c, std::vector<std::string>{"ECHO", std::to_string(i)}));
            if (i % 3 == 0) calls.back()->cancel();
            if (i % 7 == 0) co_await f.c.redis.command({"PING"});
            if (i % 5 == 0) calls[std::size_t(i) / 2]->cancel();
        }
        for (std::size_t i = 0; i < 300; ++i) {
            auto const answer = co_await calls[i]->answer();
            if (!calls[i]->was_cancelled()) BOOST_TEST(answer->text == std::to_string(i));
        }
        BOOST_TEST(f.c.redis.generation() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_caller_that_waits_for_a_connection_leaves_nothing_behind) {
    client nowhere(*this, redis_at("unix:///nonexistent/redis.sock"));
    nowhere.start();
    run([](client& n) -> task<void> {
        call waiting(n, {"PING"});
        co_await until("there is trouble",
                       [&] { return n.redis.trouble().find("No such file") != std::string::npos; });
        waiting.cancel();
        co_await until("the caller has left", [&] { return waiting.ended(); });
        BOOST_TEST(waiting.was_cancelled());
    }(nowhere));
}

BOOST_AUTO_TEST_CASE(a_stopped_client_closes_its_connection_and_frees_its_callers) {
    auto second = std::make_unique<client>(*this, redis_at(server.url(), 100ms), "second");
    second->start();
    run([](fixture& f, client& s) -> task<void> {
        co_await s.redis.command({"PING"});
        BOOST_TEST(connections(f.server, "second") == 1u);
        call blocked(s, {"BLPOP", "list", "0"}, 30s);
        s.tasks.cancel();
        auto const answer = co_await blocked.answer();
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().kind == redis::error_kind::disconnected));
        co_await until("Redis has seen it", [&] { return connections(f.server, "second") == 0; });
        auto const after = co_await s.redis.command({"PING"});
        BOOST_TEST((after.has_error() && after.error().kind == redis::error_kind::disconnected));
    }(*this, *second));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
