// Jobs that are broken, huge or in bad company.
#include "queue/scripts.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }
};

BOOST_FIXTURE_TEST_SUITE(odd_jobs, fixture)

BOOST_AUTO_TEST_CASE(whatever_is_pushed_is_handed_out_as_it_is_and_stops_nobody) {
    play([](fixture& f) -> task<void> {
        using namespace std::string_view_literals;
        std::set<std::string> pushed;
        for (auto const odd : {""sv, "x"sv, "null"sv, "[]"sv, "{}"sv, "\"text\""sv, "12"sv,
                               "{\"user_id\":5}"sv, "{\"user_id\":\"u\",\"id\":7}"sv, "\xff\xfe\0\x01"sv,
                               "{\"user_id\":\"\xff\",\"session_id\":\"s\"}"sv, "{\"user_id\":null}"sv,
                               "{\"user_id\":\"\"}"sv, "{\"user_id\":[\"a\"],\"session_id\":{}}"sv,
                               "{\"user_id\":\"\\ud800\"}"sv, "[{\"user_id\":\"u\"}]"sv, "{"sv})
            pushed.emplace(odd);
        pushed.insert(std::string(5'000, '['));
        pushed.insert(std::string(200'000, '{'));
        pushed.insert(R"({"user_id":")" + std::string(1'000, 'u') + R"(","session_id":"s"})");
        for (auto const& odd : pushed)
            f.push(odd);
        f.push("u", "s", "good");
        worker w(f, f.options());
        co_await w.start();
        std::set<std::string> came, lanes;
        bool good = false;
        std::vector<std::shared_ptr<turn>> turns;
        for (std::size_t i = 0; i < pushed.size() + 1; ++i) {
            turns.push_back(co_await w.next());
            auto const& what = turns.back()->what;
            lanes.insert(what.lane);
            if (turns.back()->id() == "good")
                good = true;
            else
                came.insert(what.body);
        }
        BOOST_TEST((came == pushed));
        BOOST_TEST(good);
        BOOST_TEST(lanes.size() == pushed.size() + 1);
        for (auto& one : turns)
            one->settle({"", "", "", std::nullopt});
        co_await until("all is done", [&] { return w.queue.status().finished == pushed.size() + 1; });
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_job_over_the_limit_is_handed_out_alone_and_one_far_over_it_is_a_dead_letter) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 1'000;
        auto const sized = [](std::size_t bytes) {
            std::string const frame = R"({"user_id":"u","session_id":"s","message":""})";
            return R"({"user_id":"u","session_id":"s","message":")" + std::string(bytes - frame.size(), 'x') +
                   "\"}";
        };
        f.push("u", "s", "first");
        f.push(sized(1'000));
        f.push(sized(1'001));
        f.push(sized(4'000));
        f.push(sized(4'001));
        worker w(f, options);
        co_await w.start();
        auto const first = co_await w.next();
        BOOST_TEST(first->id() == "first");
        auto const over = co_await w.next();  // it will only be refused: no reason to wait
        BOOST_TEST(over->what.body.size() == 1'001u);
        auto const far_over = co_await w.next();
        BOOST_TEST(far_over->what.body.size() == 4'000u);
        first->answer();
        auto const allowed = co_await w.next();
        BOOST_TEST(allowed->what.body.size() == 1'000u);
        auto const letter = f.dead_letter();
        BOOST_TEST(letter.at("reason") == "invalid_job");
        BOOST_TEST(letter.at("message") == "the job is 4001 bytes, at most 1000 are allowed");
        BOOST_TEST(letter.at("job") == sized(4'001));
        BOOST_TEST(letter.at("attempts") == "0");
        BOOST_TEST(letter.at("id") == "");
    });
}

BOOST_AUTO_TEST_CASE(one_far_over_the_limit_is_answered_where_its_address_can_be_seen) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 1'000;
        options.reply_prefixes = {"web:", "inbox:"};
        options.reply_ttl = std::chrono::seconds(77);
        // Its beginning and its end are looked at.
        auto const message = R"("message":")" + std::string(9'000, 'x') + R"( \",\"id\":\"no\"")";
        f.push("{" + message + R"(,"id":"end"})");
        f.push(R"({"id":"front",)" + message + "}");
        f.push(R"({ "reply_to" : "web:1" , "id" : "there",)" + message + R"(,"metadata":{"id":"no"}})");
        f.push(R"({"metadata":{"id":"no"},)" + message + R"(,"id":"b","reply_to":"inbox:\u0031"})");
        f.push("{" + message + R"(,"metadata":{"id":"no","reply_to":"web:no"}})");
        f.push(R"({"id":"n o",)" + message + "}");
        f.push(R"({"reply_to":"elsewhere","id":"e",)" + message + "}");
        // Brackets in a text, as a Redis Cluster wants them in an address, are no values.
        f.push(R"({"user_id":"u[1]","reply_to":"web:{2}","id":"x","more":-1.5e3,)" + message + "}");
        f.push("{" + message + R"(,"reply_to":"web:{3}" , "user_id":"}{","id":"y" })");
        worker w(f, options);
        co_await w.start();
        co_await until("all are buried", [&] { return f.server.command({"XLEN", "engram:dead"}) == "9"; });
        for (std::string const id : {"end", "front", "e"}) {
            auto const reply = f.replies(id);
            BOOST_TEST(reply.find("\"id\":\"" + id + "\"") != std::string::npos, reply);
            BOOST_TEST(reply.find("\"type\":\"invalid_job\"") != std::string::npos);
            BOOST_TEST(reply.find(" bytes, at most 1000 are allowed") != std::string::npos);
            auto const ttl = std::stoi(f.server.command({"TTL", "engram:reply:" + id}));
            BOOST_TEST(ttl <= 77);
            BOOST_TEST(ttl > 0);
        }
        BOOST_TEST(f.server.command({"LRANGE", "web:1", "0", "-1"}).find("\"id\":\"there\"") !=
                   std::string::npos);
        for (auto const* key : {"inbox:1", "web:{2}", "web:{3}"})
            BOOST_TEST(f.server.command({"LLEN", key}) == "1", key);
        for (auto const* key :
             {"engram:reply:no", "web:no", "engram:reply:there", "elsewhere", "engram:reply:"})
            BOOST_TEST(f.server.command({"EXISTS", key}) == "0", key);
    });
}

// How long Redis did nothing but this script.
task<long> microseconds_of(fixture& f, client& c, redis::script const& script,
                           std::vector<std::string> arguments) {
    f.server.command({"CONFIG", "RESETSTAT"});
    auto const answer = co_await script.run(c.redis, "engram:jobs", arguments);
    BOOST_REQUIRE(answer.has_value());
    auto const stats = f.server.command({"INFO", "commandstats"});
    long all = 0;
    for (std::string const name : {"cmdstat_evalsha:", "cmdstat_eval:"})
        if (auto const at = stats.find(name); at != stats.npos)
            all += std::stol(stats.substr(stats.find("usec=", at) + 5));
    BOOST_REQUIRE(all > 0);
    co_return all;
}

BOOST_AUTO_TEST_CASE(many_members_at_the_end_of_what_is_refused_hold_redis_up_for_a_moment_only) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        auto const& scripts = queue::all_scripts();
        co_await scripts.heartbeat.run(c.redis, "engram:jobs", {"engram", "me", "60000", "1", "{}", ""});
        std::string crafted = R"({"m":")" + std::string(5'000, 'x') + '"';
        for (int i = 0; i < 690; ++i)
            crafted += R"(,"a":1)";
        crafted += "}";
        long least = 1'000'000;
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 16; ++i)
                f.server.command({"LPUSH", "engram:admin", crafted});
            auto const took = co_await microseconds_of(f, c, scripts.admin_take,
                                                       {"engram", "me", "1000", "3600000", "[]", ""});
            least = std::min(least, took);
            BOOST_TEST(f.server.command({"LLEN", "engram:admin"}) == "0");
        }
        BOOST_TEST(least < 250'000);
    });
}

BOOST_AUTO_TEST_CASE(one_call_refuses_no_more_than_some) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        auto const& scripts = queue::all_scripts();
        co_await scripts.heartbeat.run(c.redis, "engram:jobs", {"engram", "me", "60000", "1", "{}", ""});
        for (int i = 0; i < 40; ++i)
            f.push(std::string(4'001, 'x'));
        auto const taken = co_await scripts.take.run(
            c.redis, "engram:jobs",
            {"engram", "me", "128", "128", "1000", "1000", "1000", "a", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(taken.has_value());
        BOOST_TEST(taken->items.at(2).as_integer() == 16);
        BOOST_TEST(taken->items.at(3).as_integer() == 1);  // there is more
        BOOST_TEST(taken->items.at(5).as_integer() == 16);
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "24");
        // Nor more than some megabytes of requests.
        for (int i = 0; i < 9; ++i)
            f.server.command({"LPUSH", "engram:admin", std::string(500'000, 'x')});
        for (auto const* left : {"4", "0"}) {
            co_await scripts.admin_take.run(c.redis, "engram:admin",
                                            {"engram", "me", "1000", "3600000", "[]", ""});
            BOOST_TEST(f.server.command({"LLEN", "engram:admin"}) == left);
        }
    });
}

BOOST_AUTO_TEST_CASE(what_is_refused_for_its_size_counts_as_failed) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 1'000;
        for (int i = 0; i < 3; ++i)
            f.push(R"({"message":")" + std::string(4'001, 'x') + "\"}");
        worker w(f, options);
        co_await w.start();
        co_await until("all have failed", [&] { return w.queue.status().recent.failed == 3; });
        auto const recent = w.queue.status().recent;
        BOOST_TEST(recent.mostly_fail());
        BOOST_TEST(recent.last_error.find("queue.max_job_bytes") != std::string::npos, recent.last_error);
    });
}

BOOST_AUTO_TEST_CASE(many_large_jobs_arrive_all_and_in_portions) {
    play([](fixture& f) -> task<void> {
        std::string const filling(250'000, 'x');
        for (int i = 0; i < 100; ++i)
            f.push(R"({"user_id":"u","id":")" + std::to_string(i) + R"(","message":")" + filling + "\"}");
        worker w(f, f.options());
        co_await w.start();
        std::set<std::string> ids;
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 100; ++i) {
            turns.push_back(co_await w.next());
            ids.insert(turns.back()->id());
            BOOST_REQUIRE(turns.back()->what.body.size() > filling.size());
        }
        BOOST_TEST(ids.size() == 100u);
    });
}

BOOST_AUTO_TEST_CASE(one_call_moves_no_more_than_some_megabytes) {
    play([](fixture& f) -> task<void> {
        for (int i = 0; i < 40; ++i)
            f.push(std::string(500'000, 'x'));
        client c(f, f.server.url());
        auto const& scripts = queue::all_scripts();
        co_await scripts.heartbeat.run(c.redis, "engram:jobs", {"engram", "me", "60000", "1", "{}", ""});
        auto const first = co_await scripts.take.run(
            c.redis, "engram:jobs",
            {"engram", "me", "272", "128", "1000", "1000", "600000", "a", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(first.has_value());
        BOOST_TEST(first->items.at(4).items.size() == 5u);
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "35");
        // And of lanes that are ready already it hands out no more than a few more.
        for (int i = 0; i < 7; ++i) {
            auto const batch = "b" + std::to_string(i);
            co_await scripts.take.run(
                c.redis, "engram:jobs",
                {"engram", "me", "272", "0", "1000", "1000", "600000", batch, "3600000", "[]", "8388608"});
        }
        BOOST_TEST(f.server.command({"LLEN", "engram:lanes:"}) == "35");
        auto const many = co_await scripts.take.run(
            c.redis, "engram:jobs",
            {"engram", "me", "0", "128", "1000", "1000", "600000", "c", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(many.has_value());
        BOOST_TEST(many->items.at(4).items.size() == 17u);
        BOOST_TEST(f.server.command({"LLEN", "engram:lanes:"}) == "18");
    });
}

BOOST_AUTO_TEST_CASE(a_ticket_whose_job_an_operator_removed_is_stepped_over) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2", "3"})
            f.push("u", "s", id);
        auto const first = co_await w.next();
        co_await until("all are parked", [&] { return f.server.command({"HLEN", "engram:body"}) == "3"; });
        auto const second = f.server.command({"LINDEX", "engram:lane:" + first->what.lane, "1"});
        f.server.command({"HDEL", "engram:body", second});
        first->answer();
        auto const third = co_await w.next();
        BOOST_TEST(third->id() == "3");
        third->answer();
        co_await f.replied("3");
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_foreign_value_in_the_place_of_a_lane_stops_nobody) {
    play([](fixture& f) -> task<void> {
        f.server.command({"SET", "engram:lane:1:u:s", "foreign"});
        f.server.command({"SET", "engram:lane:gone", "foreign"});
        f.server.command({"RPUSH", "engram:ready", "gone"});
        f.push("u", "s", "1");
        f.push("u", "t", "2");
        worker w(f, f.options());
        co_await w.start();
        auto const one = co_await w.next();
        auto const two = co_await w.next();
        BOOST_TEST((std::set<std::string>{one->id(), two->id()} == std::set<std::string>{"1", "2"}));
        one->answer();
        two->answer();
        co_await f.replied("1");
        co_await f.replied("2");
        BOOST_TEST(f.server.command({"GET", "engram:lane:1:u:s"}) == "foreign");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
