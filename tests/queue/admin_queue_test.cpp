// Requests of P:admin: taken in order, answered once, never lost.
#include "clerk.hpp"
#include "queue/scripts.hpp"
#include "support/child_process.hpp"
#include "support/proxy.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct fixture : queue_fixture {
    using queue_fixture::queue_fixture;
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    static std::string request(std::string const& id) {
        return R"({"op":"memory.list","user_id":"u","id":")" + id + R"("})";
    }
    void ask(std::string const& raw) { server.command({"LPUSH", "engram:admin", raw}); }
    std::string look(std::vector<std::string> const& command) { return server.command(command); }

    // By its end the instance is registered and may take requests.
    std::unique_ptr<clerk> clerk_of(worker& w, queue::options options) {
        return std::make_unique<clerk>(*this, std::move(options), [&w] { return w.queue.instance(); });
    }
    std::unique_ptr<clerk> clerk_of(worker& w) { return clerk_of(w, options()); }
    std::string taken_by(worker& w) {
        return look({"LRANGE", "engram:admin:taken:" + w.queue.instance(), "0", "-1"});
    }
    // It may take a request before it says that it is ready.
    std::unique_ptr<child_process> actor() {
        return std::make_unique<child_process>(std::vector<std::string>{ADMIN_ACTOR, server.url(), "300"});
    }
    // The first heartbeat of an instance with a long lease.
    void beat(std::string const& instance) {
        look({"EVAL", std::string(queue::all_scripts().heartbeat.body()), "1", "engram:jobs", "engram",
              instance, "120000", "1", "{}", ""});
    }
    std::string sha_of(redis::script const& of) {
        return server.command({"SCRIPT", "LOAD", std::string(of.body())});
    }
};

BOOST_FIXTURE_TEST_SUITE(admin_requests, fixture)

BOOST_AUTO_TEST_CASE(what_is_started_after_a_stop_does_not_run_and_a_second_stop_returns) {
    play([](fixture& f) -> task<void> {
        queue::admin_queue requests(f.options(), [] { return "nobody"; }, f.io.get_executor());
        co_await requests.stop();
        requests.start([](std::string) -> task<queue::admin_answer> { co_return queue::admin_answer{}; });
        BOOST_TEST(requests.trouble() == "not connected yet");
        co_await requests.stop();
    });
}

BOOST_AUTO_TEST_CASE(a_hurry_ends_the_patience_of_a_stop) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.ask(request("1"));
        auto const c = f.clerk_of(w);
        auto const one = co_await c->next();
        c->stop(steady_clock::now() + 1h);
        c->queue.hurry();
        co_await until("it was given back",
                       [&] { return one->ended && f.look({"LLEN", "engram:admin"}) == "1"; });
        BOOST_TEST(f.look({"EXISTS", "engram:admin:deaths"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(requests_are_answered_one_at_a_time_in_order_and_leave_nothing_behind) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2", "3"})
            f.ask(f.request(id));
        auto const c = f.clerk_of(w);
        for (std::string const id : {"1", "2", "3"}) {
            auto const one = co_await c->next();
            BOOST_TEST(one->body == f.request(id));
            BOOST_TEST(f.taken_by(w) == f.request(id));
            BOOST_TEST(c->waiting() == 0u);
            one->answer(id, "reply " + id);
            co_await f.replied(id);
            BOOST_TEST(f.replies(id) == "reply " + id);
            BOOST_TEST(f.look({"TTL", "engram:reply:" + id}) == "3600");
        }
        BOOST_TEST(f.calls("publish") == 3);
        f.ask(f.request("4"));  // while it waits for one
        auto const four = co_await c->next();
        four->answer("4", "reply 4");
        co_await f.replied("4");
        BOOST_TEST(f.keys() == "engram:instances\n");
        BOOST_TEST(c->queue.trouble() == "");
        BOOST_TEST(f.look({"LLEN", "engram:reply:1"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(who_is_not_registered_takes_nothing) {
    play([](fixture& f) -> task<void> {
        f.ask(f.request("1"));
        clerk c(f, f.options(), [] { return std::string("ghost"); });
        auto const why = "this instance is not registered";
        co_await until("it has looked", [&] { return c.queue.trouble() == why; });
        BOOST_TEST(f.keys() == "engram:admin\n");
        f.look({"ZADD", "engram:instances", "9000000000000", "ghost"});
        auto const one = co_await c.next();
        BOOST_TEST(one->body == f.request("1"));
        BOOST_TEST(c.queue.trouble() == "");
    });
}

BOOST_AUTO_TEST_CASE(the_request_of_a_killed_daemon_goes_to_another_before_younger_ones) {
    play([](fixture& f) -> task<void> {
        auto const victim = f.actor();
        victim->wait_for_line("ready");
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        victim->wait_for_line("\"1\"");
        victim->signal(SIGKILL);
        victim->wait();
        worker w(f, f.options());
        co_await w.start();
        co_await until("it is back", [&] { return f.look({"LLEN", "engram:admin"}) == "2"; });
        BOOST_TEST(f.look({"HVALS", "engram:admin:deaths"}) == "1");
        auto const c = f.clerk_of(w);
        for (std::string const id : {"1", "2"}) {
            auto const one = co_await c->next();
            BOOST_TEST(one->body == f.request(id));
            one->answer(id, "late but once");
            co_await f.replied(id);
        }
        BOOST_TEST(f.replies("1") == "late but once");
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_request_that_kills_every_daemon_is_poisoned) {
    play([](fixture& f) -> task<void> {
        f.ask(f.request("1"));
        for (int i = 0; i < 3; ++i) {
            auto const victim = f.actor();
            victim->wait_for_line("took {");
            victim->signal(SIGKILL);
            victim->wait();
        }
        f.ask(f.request("2"));
        worker w(f, f.options());
        co_await w.start();
        co_await until("it is back", [&] { return f.look({"LLEN", "engram:admin"}) == "2"; });
        auto const c = f.clerk_of(w);
        co_await f.replied("1");
        BOOST_TEST(f.replies("1") ==
                   R"({"id":"1","op":"memory.list","status":"error","error":{"type":"poisoned",)"
                   R"("message":"the request was given up: it ended 3 times with a daemon's death",)"
                   R"("retryable":false}})");
        auto const two = co_await c->next();
        BOOST_TEST(two->body == f.request("2"));
        two->answer("2", "alive");
        co_await f.replied("2");
        auto const letter = f.dead_letter();
        BOOST_TEST(letter.at("reason") == "poisoned");
        BOOST_TEST(letter.at("id") == "1");
        BOOST_TEST(letter.at("job") == f.request("1"));
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_request_whose_handler_fails_each_time_is_poisoned_even_if_it_cannot_be_read) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.ask("no JSON");
        auto const c = f.clerk_of(w);
        for (int i = 0; i < 3; ++i) {
            auto const one = co_await c->next();
            BOOST_TEST(one->body == "no JSON");
            one->blow_up();
        }
        co_await until("it is a dead letter", [&] { return f.look({"XLEN", "engram:dead"}) == "1"; });
        BOOST_TEST(f.dead_letter().at("reason") == "poisoned");
        BOOST_TEST(f.dead_letter().at("attempts") == "4");
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(an_instance_that_is_taken_for_dead_in_mid_request_answers_in_vain) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const late = f.clerk_of(w);
        f.ask(f.request("1"));
        auto const first = co_await late->next();
        auto const old = w.queue.instance();
        f.look({"ZADD", "engram:instances", "XX", "1", old});
        f.beat("heir");  // before its own
        co_await until("it begins anew", [&] { return w.queue.instance() != old; });
        clerk other(f, f.options(), [] { return std::string("heir"); });
        auto const second = co_await other.next();
        BOOST_TEST(second->body == f.request("1"));
        first->answer("1", "from the dead");
        co_await until("that came to nothing", [&] { return f.calls("evalsha") > 0 && first->ended; });
        f.ask(f.request("2"));  // under its new name it goes on
        auto const two = co_await late->next();
        BOOST_TEST(f.replies("1") == "");
        BOOST_TEST(late->queue.answered() == 0u);
        two->answer("2", "anew");
        second->answer("1", "the only one");
        co_await f.replied("1");
        co_await f.replied("2");
        BOOST_TEST(f.replies("1") == "the only one");
        BOOST_TEST(f.replies("2") == "anew");
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(what_a_drained_instance_had_is_next_again_uncounted) {
    play([](fixture& f) -> task<void> {
        worker heir(f, f.options());
        co_await heir.start();
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        {
            worker w(f, f.options());
            co_await w.start();
            f.look({"RPOPLPUSH", "engram:admin", "engram:admin:taken:" + w.queue.instance()});
        }
        BOOST_TEST(f.look({"LRANGE", "engram:admin", "0", "-1"}) == f.request("2") + "\n" + f.request("1"));
        BOOST_TEST(f.keys() == "engram:admin\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(stopping_gives_back_what_is_under_way_uncounted) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const c = f.clerk_of(w);
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        auto const one = co_await c->next();
        c->stop();
        co_await until("it has stopped", [&] { return c->stopped(); });
        BOOST_TEST((one->ended && !one->decided));
        BOOST_TEST(f.look({"LRANGE", "engram:admin", "0", "-1"}) == f.request("2") + "\n" + f.request("1"));
        BOOST_TEST(f.keys() == "engram:admin\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_stop_with_patience_lets_the_request_end_and_takes_no_other) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const c = f.clerk_of(w);
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        auto const one = co_await c->next();
        c->stop(steady_clock::now() + most_patience);
        one->answer("1", "in time");
        co_await until("it has stopped", [&] { return c->stopped(); });
        BOOST_TEST(f.replies("1") == "in time");
        BOOST_TEST(f.look({"LRANGE", "engram:admin", "0", "-1"}) == f.request("2"));
        BOOST_TEST(f.keys() == "engram:admin\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_request_whose_delivery_was_lost_comes_again_uncounted) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        proxy cable(f, f.server.socket());
        cable.lose_answer_to(f.sha_of(queue::all_scripts().admin_take));
        auto const c = f.clerk_of(w, f.options(cable.url()));
        auto const one = co_await c->next();
        BOOST_TEST(cable.lost() == 1u);
        BOOST_TEST(one->body == f.request("1"));
        one->answer("1", "r");
        auto const two = co_await c->next();
        BOOST_TEST(two->body == f.request("2"));
        BOOST_TEST(f.look({"EXISTS", "engram:admin:deaths"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(a_reply_whose_confirmation_was_lost_is_not_written_twice) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        proxy cable(f, f.server.socket());
        auto const c = f.clerk_of(w, f.options(cable.url()));
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        auto const one = co_await c->next();
        cable.lose_answer_to(f.sha_of(queue::all_scripts().admin_finish));
        one->answer("1", "once");
        auto const two = co_await c->next();
        BOOST_TEST(cable.lost() == 1u);
        BOOST_TEST(two->body == f.request("2"));
        BOOST_TEST(f.replies("1") == "once");
    });
}

BOOST_AUTO_TEST_CASE(a_connection_or_the_scripts_lost_in_mid_request_cost_nothing) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const c = f.clerk_of(w);
        for (std::string const id : {"1", "2", "3"}) {
            f.ask(f.request(id));
            auto const one = co_await c->next();
            f.look({"SCRIPT", "FLUSH"});
            f.look({"CLIENT", "KILL", "TYPE", "normal"});
            one->answer(id, "after all");
            co_await f.replied(id);
            BOOST_TEST(f.replies(id) == "after all");
        }
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_in_its_keys_loses_no_request) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const c = f.clerk_of(w);
        for (std::string const key : {"engram:admin", "engram:admin:deaths", "engram:dead"}) {
            f.ask(f.request("1"));
            auto const one = co_await c->next();
            f.look({"SET", key, "foreign"});
            one->settle({"1", "engram:reply:1", "r", queue::dead_letter{"internal", "m"}});
            if (key == "engram:admin") co_await f.replied("1");
            co_await until("it is told of",
                           [&] { return c->queue.trouble().find("WRONGTYPE") != std::string::npos; });
            BOOST_TEST((f.taken_by(w) == (key == "engram:admin" ? "" : f.request("1"))));
            f.look({"DEL", key});
            co_await until("it goes on", [&] { return f.taken_by(w) == "" && c->queue.trouble() == ""; });
            BOOST_TEST(f.replies("1") == "r");
            f.look({"DEL", "engram:dead", "engram:reply:1"});
        }
        auto const taken = "engram:admin:taken:" + w.queue.instance();
        f.look({"SET", taken, "foreign"});
        f.ask(f.request("1"));
        co_await until("it is told of",
                       [&] { return c->queue.trouble().find("WRONGTYPE") != std::string::npos; });
        f.look({"DEL", taken});
        auto const one = co_await c->next();
        BOOST_TEST(one->body == f.request("1"));
    });
}

BOOST_AUTO_TEST_CASE(a_dead_instance_whose_requests_cannot_go_back_is_kept_until_they_can) {
    play([](fixture& f) -> task<void> {
        f.look({"LPUSH", "engram:admin:taken:dead", "a request"});
        f.look({"ZADD", "engram:instances", "1", "dead"});
        f.look({"SET", "engram:admin", "foreign"});
        worker w(f, f.options());
        co_await w.start();
        BOOST_TEST(f.look({"ZSCORE", "engram:instances", "dead"}) == "1");
        f.look({"DEL", "engram:admin"});
        co_await until("it is back", [&] { return f.look({"LLEN", "engram:admin"}) == "1"; });
        BOOST_TEST(f.look({"ZCARD", "engram:instances"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(a_reply_key_of_another_type_gets_the_message_and_the_request_a_dead_letter) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const c = f.clerk_of(w);
        f.look({"SET", "engram:reply:1", "foreign"});
        f.ask(f.request("1"));
        auto const one = co_await c->next();
        one->answer("1", "r");
        co_await until("it is done", [&] { return c->queue.answered() == 1; });
        BOOST_TEST(f.calls("publish") == 1);
        BOOST_TEST(f.dead_letter().at("reason") == "invalid_job");
        BOOST_TEST(f.dead_letter().at("job") == f.request("1"));
    });
}

BOOST_AUTO_TEST_CASE(a_request_far_too_large_is_a_dead_letter_and_others_go_on) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 1'000;
        worker w(f, options);
        co_await w.start();
        for (int i = 0; i < 20; ++i)
            f.ask(std::string(4'001, 'x'));
        f.ask(f.request("1"));
        auto const c = f.clerk_of(w, options);
        auto const one = co_await c->next();
        BOOST_TEST(one->body == f.request("1"));
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "20");
    });
}

BOOST_AUTO_TEST_CASE(requests_too_large_to_be_buried_now_keep_their_place_and_others_pass) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 1'000;
        worker w(f, options);
        co_await w.start();
        f.look({"SET", "engram:dead", "foreign"});
        std::string const large(4'001, 'x');
        f.ask(large);
        f.ask(f.request("1"));
        f.ask(large);
        f.ask(f.request("2"));
        auto const c = f.clerk_of(w, options);
        for (std::string const id : {"1", "2"}) {
            auto const one = co_await c->next();
            BOOST_TEST(one->body == f.request(id));
            one->answer(id, "r");
            co_await f.replied(id);
        }
        co_await until("it is told of",
                       [&] { return c->queue.trouble().find("WRONGTYPE") != std::string::npos; });
        BOOST_TEST(f.look({"LLEN", "engram:admin"}) == "2");
        f.look({"DEL", "engram:dead"});
        co_await until("they are buried", [&] { return f.look({"XLEN", "engram:dead"}) == "2"; });
        co_await until("all is well", [&] { return c->queue.trouble() == ""; });
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_request_far_over_the_limit_is_answered_where_its_address_can_be_seen) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 1'000;
        options.reply_ttl = std::chrono::seconds(77);
        worker w(f, options);
        co_await w.start();
        f.ask(R"({"op":"memory.add","user_id":"u","id":"1","content":")" + std::string(9'000, 'x') + "\"}");
        f.ask(R"({"op":"memory.add","user_id":"u","content":")" + std::string(9'000, 'x') + R"(","id":"2"})");
        auto const c = f.clerk_of(w, options);
        for (std::string const id : {"1", "2"}) {
            co_await f.replied(id);
            auto const said = f.replies(id);
            BOOST_TEST(said.find("\"type\":\"invalid_job\"") != std::string::npos, said);
            BOOST_TEST(said.find("the request is ") != std::string::npos, said);
            BOOST_TEST(said.find(" bytes, at most 1000 are allowed") != std::string::npos, said);
            BOOST_TEST(std::stoi(f.look({"TTL", "engram:reply:" + id})) <= 77);
        }
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "2");
    });
}

BOOST_AUTO_TEST_CASE(what_is_given_up_is_answered_though_it_cannot_be_read) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_deliveries = 0;
        worker w(f, options);
        co_await w.start();
        auto const c = f.clerk_of(w, options);
        f.ask(R"({"op":"memory.add","user_id":"u","content":"tea","x":NaN,"id":"1"})");
        co_await f.replied("1");
        BOOST_TEST(f.replies("1").find(R"({"id":"1","op":"memory.add","status":"error")") == 0u,
                   f.replies("1"));
    });
}

BOOST_AUTO_TEST_CASE(what_is_given_up_is_told_its_op_unless_that_is_long) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_deliveries = 0;
        worker w(f, options);
        co_await w.start();
        auto const c = f.clerk_of(w, options);
        for (std::size_t const size : {64u, 65u}) {
            std::string const op(size, 'o'), id = std::to_string(size);
            f.ask(R"({"op":")" + op + R"(","user_id":"u","id":")" + id + R"("})");
            co_await f.replied(id);
            auto const said = f.replies(id);
            BOOST_TEST(said.find("poisoned") != std::string::npos);
            BOOST_TEST((said.find(op) != std::string::npos) == (size == 64));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_answers_requests_that_wait) {
    fixture g({"--maxmemory-policy", "noeviction"});
    g.play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.ask(f.request("1"));
        f.ask(f.request("2"));
        f.look({"CONFIG", "SET", "maxmemory", "1"});
        auto const c = f.clerk_of(w);
        for (std::string const id : {"1", "2"}) {
            auto const one = co_await c->next();
            one->answer(id, "in spite of it");
            co_await f.replied(id);
        }
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
