// What operators and producers want to be cancelled.
#include "queue/reply.hpp"
#include "queue/scripts.hpp"
#include "support/proxy.hpp"
#include "user_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

struct fixture : user_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    // A daemon that carries out cancels and takes no jobs.
    static task<void> start_idle(worker& w) {
        w.queue.set_limit(0);
        co_await w.start();
    }
    void wish(std::string const& user, std::string const& id) {
        look({"LPUSH", "engram:cancel", R"({"user_id":")" + user + R"(","id":")" + id + "\"}"});
    }
    task<void> carried_out() {
        co_await until("all wishes are carried out",
                       [this] { return look({"EXISTS", "engram:cancel"}) == "0"; });
        check_promises();
    }
    // There is one reply, and it says that the job was cancelled.
    void check_cancelled(std::string const& id, std::string const& at = {}) {
        auto const text = replies(at.empty() ? id : at);
        auto const said = queue::parse_reply(text);
        BOOST_REQUIRE_MESSAGE(said.has_value(), id << " has " << text);
        BOOST_TEST(said->id == id);
        BOOST_TEST(said->error_type == "cancelled");
        BOOST_TEST(said->error_message == "the job was cancelled");
        BOOST_TEST(!said->retryable);
    }
};

BOOST_FIXTURE_TEST_SUITE(cancels, fixture)

BOOST_AUTO_TEST_CASE(jobs_that_wait_are_cancelled_wherever_they_are) {
    play([](fixture& f) -> task<void> {
        f.set.max_parked_per_user = 2;
        worker w(f, f.set);
        co_await f.start_idle(w);
        for (auto const* id : {"first", "behind", "backlog"})
            f.push("ada", "s", id);
        f.push("bob", "s", "first");
        f.take(w.queue.instance(), "9", "0");
        f.push("ada", "s", "list");
        BOOST_TEST(f.look({"LLEN", "engram:backlog:ada"}) == "1");
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "1");
        for (auto const* id : {"list", "backlog", "behind", "first"}) {
            f.wish("ada", id);
            co_await f.carried_out();
            f.check_cancelled(id);
        }
        BOOST_TEST(f.look({"TTL", "engram:reply:list"}) == "3600");
        auto const rest = co_await f.only("bob");
        BOOST_TEST(user_fixture::id_of(rest.body) == "first");
        BOOST_TEST(f.look({"HLEN", "engram:body"}) == "1");
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(a_delayed_job_is_cancelled_and_the_next_of_its_lane_comes) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("ada", "s", id);
        auto const one = co_await w.next();
        one->postpone(1h);
        co_await until("it is delayed", [&] { return f.look({"ZCARD", "engram:delayed"}) == "1"; });
        f.wish("ada", "1");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        co_await f.carried_out();
        f.check_cancelled("1");
        two->answer();
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_job_that_runs_is_left_alone) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("ada", "s", id);
        auto const one = co_await w.next();
        f.wish("ada", "1");
        co_await f.carried_out();
        BOOST_TEST(f.replies("1") == "");
        BOOST_TEST(!one->ended);
        one->answer("its own");
        co_await f.replied("1");
        BOOST_TEST(f.replies("1") == "its own");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(w.queue.status().lost == 0u);
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_there_costs_only_its_entry) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await f.start_idle(w);
        f.push("ada", "s", "1");
        auto const before = f.look({"LRANGE", "engram:jobs", "0", "-1"});
        f.wish("ada", "2");
        f.wish("nobody", "1");
        co_await f.carried_out();
        BOOST_TEST(f.look({"LRANGE", "engram:jobs", "0", "-1"}) == before);
        BOOST_TEST(f.look({"KEYS", "engram:reply:*"}) == "");
    });
}

BOOST_AUTO_TEST_CASE(an_entry_that_cannot_be_read_is_dropped_and_stops_no_other) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await f.start_idle(w);
        f.push("ada", "s", "1");
        for (std::string const entry :
             {"no JSON", "", "[]", R"("ada")", "{}", R"({"user_id":"ada"})", R"({"id":"1"})",
              R"({"user_id":"ada","id":1})", R"({"user_id":"ada","id":""})", R"({"user_id":null,"id":"1"})"})
            f.look({"LPUSH", "engram:cancel", entry});
        f.wish("ada", std::string(5'000, 'x'));
        co_await f.carried_out();
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "1");
        f.look({"LPUSH", "engram:cancel", "no JSON"});
        f.wish("ada", "1");
        co_await f.carried_out();
        f.check_cancelled("1");
    });
}

BOOST_AUTO_TEST_CASE(an_entry_with_what_is_harmless_around_it_is_carried_out) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await f.start_idle(w);
        for (std::string const id : {"1", "2", "3"})
            f.push(R"({"user_id":"ada","id":")" + id + R"(","message":"\ud83d"})");
        f.look({"LPUSH", "engram:cancel",
                "\xEF\xBB\xBF"
                R"({"user_id":"ada","id":"1"})"});
        f.look({"LPUSH", "engram:cancel", R"({"user_id":"ada","id":"2"})" + std::string(1, '\0')});
        f.look({"LPUSH", "engram:cancel", R"({"user_id":"ada","id":"3","why":"\ud83d"})"});
        co_await f.carried_out();
        for (auto const* id : {"1", "2", "3"})
            f.check_cancelled(id);
    });
}

BOOST_AUTO_TEST_CASE(an_id_is_told_by_what_the_text_means_and_requests_are_no_jobs) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await f.start_idle(w);
        f.push(R"({"user_id":"ada","id":"\u0031","message":"x"})");
        f.push(R"({"user_id":"ada","id":"2","message":"\"id\":\"1\"","session_id":"1"})");
        f.push(R"({"user_id":"ada","id":1,"message":"x"})");
        f.push(R"({"user_id":"ada","message":"no id, 1","x":{"id":"1"}})");
        f.look({"LPUSH", "engram:admin", R"({"op":"memory.list","user_id":"ada","id":"1"})"});
        f.wish("ada", "1");
        co_await f.carried_out();
        f.check_cancelled("1");
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "3");
        BOOST_TEST(f.look({"LLEN", "engram:admin"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(all_pushes_of_one_id_are_cancelled_and_each_is_told_where_it_asked_for) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await f.start_idle(w);
        for (int i = 0; i < 150; ++i)
            f.push("ada", "s", "1");
        f.push(R"({"user_id":"ada","id":"1","message":"x","reply_to":"engram:reply:elsewhere"})");
        f.push(R"({"user_id":"ada","id":"1","message":7})");
        f.take(w.queue.instance(), "70", "0");
        f.wish("ada", "1");
        co_await f.carried_out();
        BOOST_TEST(f.look({"LLEN", "engram:reply:1"}) == "151");
        f.check_cancelled("1", "elsewhere");
        BOOST_TEST(f.keys() == "engram:ages:engram:reply:1\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_job_that_moves_meanwhile_is_cancelled_where_it_is) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        auto options = f.set;
        options.server.url = cable.url();
        worker w(f, options);
        co_await f.start_idle(w);
        f.push("ada", "s", "1");
        // Between the search and the end: from the list into a lane.
        auto const sha = f.look({"SCRIPT", "LOAD", std::string(queue::all_scripts().cancel.body())});
        bool moved = false;
        cable.before(sha, [&] {
            f.take(w.queue.instance(), "9", "0");
            moved = f.look({"HLEN", "engram:body"}) == "1";
        });
        f.wish("ada", "1");
        co_await f.carried_out();
        BOOST_TEST(moved);
        f.check_cancelled("1");
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(two_daemons_with_one_list_cancel_each_job_once) {
    play([](fixture& f) -> task<void> {
        worker a(f, f.set), b(f, f.set);
        for (int i = 0; i < 60; ++i)
            f.push("ada", "s" + std::to_string(i % 7), std::to_string(i));
        for (int i = 0; i < 60; ++i)
            f.wish("ada", std::to_string(i));
        a.queue.set_limit(0);
        b.queue.set_limit(0);
        a.begin();
        b.begin();
        co_await f.carried_out();
        for (int i = 0; i < 60; ++i)
            f.check_cancelled(std::to_string(i));
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_in_its_place_stops_nothing) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        f.look({"SET", "engram:cancel", "foreign"});
        co_await w.start();
        f.push("ada", "s", "1");
        auto const one = co_await w.next();
        auto const beats = f.calls("zrangebyscore");
        co_await until("it has beaten", [&] { return f.calls("zrangebyscore") >= beats + 4; });
        BOOST_TEST(w.queue.status().trouble == "");
        one->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
