// The end of a job.
#include "queue/scripts.hpp"
#include "support/child_process.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

struct fixture : queue_fixture {
    using queue_fixture::queue_fixture;

    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    // finish.lua for a delivery, as an instance that knows nothing better would call it: its first answer.
    task<std::int64_t> finish(client& c, queue::delivery const& what, std::string reply_to) {
        auto const answer = co_await queue::all_scripts().finish.run(
            c.redis, "engram:jobs",
            {"engram", what.instance, what.lane, what.ticket, reply_to, "{}", "60000", "id", "", "", "0", "0",
             "100", "1000", "base", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(answer.has_value());
        co_return answer->items.at(0).as_integer();
    }
};

BOOST_FIXTURE_TEST_SUITE(finishing, fixture)

BOOST_AUTO_TEST_CASE(a_reply_is_stored_for_a_time_and_published) {
    play([](fixture& f) -> task<void> {
        child_process listener({"redis-cli", "-s", f.server.socket(), "SUBSCRIBE", "engram:reply:7"});
        listener.wait_for_line("subscribe");
        auto options = f.options();
        options.reply_ttl = 100s;
        worker w(f, options);
        co_await w.start();
        f.push("u", "s", "7");
        auto const one = co_await w.next();
        one->answer(R"({"the":"reply"})");
        co_await f.replied("7");
        BOOST_TEST(f.replies("7") == R"({"the":"reply"})");
        auto const left = std::stol(f.server.command({"PTTL", "engram:reply:7"}));
        BOOST_TEST((left > 50'000 && left <= 100'000));
        listener.wait_for_line(R"({"the":"reply"})");
    });
}

BOOST_AUTO_TEST_CASE(a_reply_goes_where_the_job_says) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push(R"({"user_id":"u","message":"hi","id":"7","reply_to":"engram:reply:mine"})");
        auto const one = co_await w.next();
        one->answer("here");
        co_await f.replied("mine");
        BOOST_TEST(f.replies("mine") == "here");
        BOOST_TEST(f.replies("7") == "");
    });
}

BOOST_AUTO_TEST_CASE(a_second_finish_changes_nothing) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "7");
        f.push("u", "s", "8");
        auto const one = co_await w.next();
        w.queue.set_limit(0);
        auto const first = co_await f.finish(c, one->what, "engram:reply:7");
        BOOST_TEST(first == 1);
        auto const before = f.everything();
        auto const second = co_await f.finish(c, one->what, "engram:reply:7");
        BOOST_TEST(second == 0);
        BOOST_TEST((f.everything() == before));
        one->answer("from the daemon itself");
        co_await until("it has heard", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(w.queue.status().lost == 1u);
        BOOST_TEST((f.everything() == before));
        w.queue.set_limit(1);
        auto const next = co_await w.next();
        BOOST_TEST(next->id() == "8");
    });
}

BOOST_AUTO_TEST_CASE(a_finish_of_another_instance_or_ticket_changes_nothing) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "7");
        auto const one = co_await w.next();
        auto const before = f.everything();
        auto wrong = one->what;
        wrong.instance = "somebody else";
        auto const by_another = co_await f.finish(c, wrong, "engram:reply:7");
        BOOST_TEST(by_another == 0);
        wrong = one->what;
        wrong.ticket += "x";
        auto const of_another = co_await f.finish(c, wrong, "engram:reply:7");
        BOOST_TEST(of_another == 0);
        BOOST_TEST((f.everything() == before));
    });
}

BOOST_AUTO_TEST_CASE(a_reply_key_of_another_type_gets_the_message_but_no_list_and_the_job_a_dead_letter) {
    play([](fixture& f) -> task<void> {
        child_process listener({"redis-cli", "-s", f.server.socket(), "SUBSCRIBE", "engram:reply:7"});
        listener.wait_for_line("subscribe");
        worker w(f, f.options());
        co_await w.start();
        f.server.command({"SET", "engram:reply:7", "mine"});
        f.push("u", "s", "7");
        auto const one = co_await w.next();
        one->answer("the answer");
        co_await until("it is forgotten", [&] { return w.queue.status().in_flight == 0; });
        listener.wait_for_line("the answer");
        BOOST_TEST(f.server.command({"GET", "engram:reply:7"}) == "mine");
        auto const letter = f.dead_letter();
        BOOST_TEST(letter.at("reason") == "invalid_job");
        BOOST_TEST(letter.at("message").find("could not be stored at engram:reply:7: WRONGTYPE") !=
                   std::string::npos);
        BOOST_TEST(letter.at("job") == one->what.body);
        BOOST_TEST(f.server.command({"EXISTS", "engram:body"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(a_dead_letter_tells_the_job_and_what_became_of_it) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        std::string const body =
            "{ \"user_id\":\"u\", \"id\":\"7\", \"message\":\"hi\", \"n\":12345678901234567890123 }";
        f.push(body);
        auto const first = co_await w.next();
        first->give_back();
        auto const one = co_await w.next();
        one->settle({"7", "engram:reply:7", "{\"status\":\"error\"}",
                     queue::dead_letter{"claude_rejected", "not today"}});
        co_await f.replied("7");
        auto const letter = f.dead_letter();
        BOOST_TEST(letter.size() == 6u);
        BOOST_TEST(letter.at("id") == "7");
        BOOST_TEST(letter.at("reason") == "claude_rejected");
        BOOST_TEST(letter.at("message") == "not today");
        BOOST_TEST(letter.at("job") == body);
        BOOST_TEST(letter.at("attempts") == "2");
        auto const now = std::stol(f.server.command({"TIME"}));
        BOOST_TEST(std::abs(std::stol(letter.at("at")) / 1000 - now) < 60);
    });
}

BOOST_AUTO_TEST_CASE(a_job_without_an_address_ends_without_a_reply) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("garbage");
        auto const one = co_await w.next();
        one->settle({"", "", "", queue::dead_letter{"invalid_job", "not JSON"}});
        co_await until("it is forgotten", [&] { return w.queue.status().finished == 1; });
        BOOST_TEST(f.dead_letter().at("job") == "garbage");
        BOOST_TEST(f.server.command({"KEYS", "engram:reply:*"}) == "");
    });
}

BOOST_AUTO_TEST_CASE(an_idle_queue_leaves_only_the_dead_letters_and_the_instances) {
    play([](fixture& f) -> task<void> {
        {
            worker w(f, f.options());
            co_await w.start();
            f.push("garbage");
            for (int i = 0; i < 10; ++i)
                f.push("u", i % 2 ? "s" : "", std::to_string(i));
            for (int i = 0; i < 11; ++i) {
                auto const one = co_await w.next();
                if (one->id().empty())
                    one->settle({"", "", "", queue::dead_letter{"invalid_job", "not JSON"}});
                else
                    one->answer();
            }
            co_await until("all is answered", [&] { return w.queue.status().finished == 11; });
            BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
            for (int i = 0; i < 10; ++i)
                BOOST_TEST(std::stol(f.server.command({"PTTL", "engram:reply:" + std::to_string(i)})) > 0);
        }
        BOOST_TEST(f.keys() == "engram:dead\n");
    });
}

BOOST_AUTO_TEST_CASE(scripts_that_redis_has_forgotten_are_sent_again) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (int i = 0; i < 5; ++i) {
            f.server.command({"SCRIPT", "FLUSH"});
            f.push("u", "s", std::to_string(i));
            auto const one = co_await w.next();
            BOOST_TEST(one->what.attempts == 1);
            f.server.command({"SCRIPT", "FLUSH"});
            one->answer();
            co_await f.replied(std::to_string(i));
        }
        BOOST_TEST(w.queue.status().lost == 0u);
    });
}

BOOST_AUTO_TEST_CASE(a_reply_may_be_large_and_hold_any_byte) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "7");
        auto const one = co_await w.next();
        std::string reply(5 * 1024 * 1024, '\0');
        for (std::size_t i = 0; i < reply.size(); ++i)
            reply[i] = char(i * 7 >> 2);
        one->answer(reply);
        co_await f.replied("7");
        BOOST_TEST((f.replies("7") == reply));
    });
}

BOOST_AUTO_TEST_CASE(a_job_in_hand_survives_a_restart_of_redis) {
    fixture g({"--appendfsync", "always"});
    g.play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "7");
        f.push("u", "s", "8");
        auto const one = co_await w.next();
        f.server.kill();
        one->answer("after");
        co_await until("it is missed", [&] { return !w.queue.status().connected; });
        f.server.start();
        co_await f.replied("7");
        BOOST_TEST(f.replies("7") == "after");
        auto const next = co_await w.next();
        BOOST_TEST(next->id() == "8");
        BOOST_TEST(next->what.deaths == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
