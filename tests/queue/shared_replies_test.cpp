// A list that holds the replies of many jobs: each is kept for its time, whoever pushes meanwhile and whether
// or not anybody reads.
#include "queue/scripts.hpp"
#include "worker.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds ttl = 1s;
constexpr auto watched = 4s;  // some lives of a reply
char const list[] = "engram:reply:shared";
char const ages[] = "engram:ages:engram:reply:shared";

struct sent_reply {
    steady_clock::time_point before, after;  // it was written between these
    bool taken = false;
};

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    // Writes the next reply, as a daemon does that answers a request.
    task<void> write(client& c) {
        auto const number = std::to_string(sent.size());
        server.command({"RPUSH", "engram:admin:taken:me", number});
        sent_reply one{steady_clock::now(), {}};
        co_await queue::all_scripts().admin_finish.run(
            c.redis, "engram:admin",
            {"engram", "me", number, list, number, std::to_string(ttl.count()), number, "", ""});
        one.after = steady_clock::now();
        sent.push_back(one);
    }

    std::vector<std::size_t> there() {
        std::vector<std::size_t> numbers;
        std::istringstream text(server.command({"LRANGE", list, "0", "-1"}));
        for (std::size_t number = 0; text >> number;)
            numbers.push_back(number);
        return numbers;
    }

    void take(char const* command) {
        auto const taken = server.command({command, list});
        if (!taken.empty()) sent.at(std::stoul(taken)).taken = true;
    }

    // After a reply was written: none is missing that is younger than its time.
    void check_young() {
        auto const present = there();
        for (std::size_t i = 0; i < sent.size(); ++i)
            if (!sent[i].taken && sent.back().after - sent[i].before < ttl - 5ms)
                BOOST_REQUIRE_MESSAGE(std::binary_search(present.begin(), present.end(), i),
                                      i << " has gone");
    }

    // How many there may be: those that are not much older than their time, however slowly this test runs.
    [[nodiscard]] std::size_t most_expected() const {
        auto longest_gap = 0ns;
        for (std::size_t i = 1; i < sent.size(); ++i)
            longest_gap = std::max<std::chrono::nanoseconds>(longest_gap, sent[i].after - sent[i - 1].before);
        auto const oldest = sent.back().before - ttl * 9 / 8 - 2 * longest_gap;
        return std::size_t(
            std::count_if(sent.begin(), sent.end(), [&](auto const& one) { return one.after > oldest; }));
    }

    task<void> write_for_some_lives(std::function<void()> meanwhile) {
        client c(*this, server.url());
        for (auto const end = steady_clock::now() + watched; steady_clock::now() < end;) {
            co_await write(c);
            meanwhile();
            if (sent.size() % 16 == 0) check_young();
        }
        check_young();
        // Else the time was too short to tell anything.
        BOOST_REQUIRE(sent.back().before - sent.front().after > 2 * ttl);
    }

    std::vector<sent_reply> sent;
};

BOOST_FIXTURE_TEST_SUITE(shared_replies, fixture)

BOOST_AUTO_TEST_CASE(a_list_that_nobody_reads_holds_no_more_than_a_replys_life) {
    play([](fixture& f) -> task<void> {
        co_await f.write_for_some_lives([] {});
        BOOST_TEST(f.there().size() <= f.most_expected());
        BOOST_TEST(f.there().size() < f.sent.size());
        BOOST_TEST(std::stoi(f.server.command({"LLEN", ages})) <= 18);
    });
}

BOOST_AUTO_TEST_CASE(a_slow_reader_loses_nothing_that_is_young) {
    play([](fixture& f) -> task<void> {
        co_await f.write_for_some_lives([&f] {
            if (f.sent.size() % 3 == 0) f.take("LPOP");
        });
        BOOST_TEST(f.there().size() <= f.most_expected());
    });
}

BOOST_AUTO_TEST_CASE(a_reader_from_the_right_loses_nothing_that_is_young) {
    play([](fixture& f) -> task<void> {
        co_await f.write_for_some_lives([&f] {
            if (f.sent.size() % 3 == 0) f.take("RPOP");
        });
    });
}

BOOST_AUTO_TEST_CASE(a_reader_who_keeps_up_leaves_no_marks_of_earlier_times) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        for (int round = 0; round < 20; ++round) {
            for (int i = 0; i < 5; ++i)
                co_await f.write(c);
            for (int i = 0; i < 5; ++i)
                f.take("LPOP");
        }
        BOOST_TEST(std::all_of(f.sent.begin(), f.sent.end(), [](auto const& one) { return one.taken; }));
        co_await f.write(c);
        co_await f.write(c);
        // The count begins anew with a list of two.
        BOOST_TEST(f.server.command({"LINDEX", ages, "-1"}).starts_with("2 "));
    });
}

BOOST_AUTO_TEST_CASE(replies_that_an_older_daemon_pushes_meanwhile_are_not_taken_for_old_ones) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        boost::asio::steady_timer timer(f.io);
        auto const wait = [&timer](std::chrono::milliseconds time) {
            timer.expires_after(time);
            return timer.async_wait(boost::asio::use_awaitable);
        };
        // An older daemon notes nothing.
        auto const push_alone = [&f](std::string const& name, int count) {
            for (int i = 0; i < count; ++i)
                f.server.command({"RPUSH", list, name + std::to_string(i)});
            f.server.command({"PEXPIRE", list, "60000"});
        };
        for (int i = 0; i < 10; ++i)
            co_await f.write(c);
        co_await wait(ttl / 8);
        co_await f.write(c);
        push_alone("early", 20);
        f.server.command({"LPOP", list, "29"});
        co_await wait(ttl);
        push_alone("young", 8);
        co_await f.write(c);
        for (int i = 0; i < 8; ++i)
            BOOST_TEST(f.server.command({"LPOS", list, "young" + std::to_string(i)}) != "(nil)", i);
        BOOST_TEST(f.server.command({"LINDEX", list, "-1"}) == "11");
    });
}

BOOST_AUTO_TEST_CASE(many_at_once_go_in_portions) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        // 5,000 that were written when the first note says.
        std::vector<std::string> many{"RPUSH", list};
        many.resize(5'002, "old");
        f.server.command(many);
        auto const mark = f.server.command({"EVAL", "return redis.sha1hex('3oldold')", "0"});
        f.server.command({"RPUSH", ages, "5000 1", "5000 1 " + mark});
        f.server.command({"PEXPIRE", ages, "100000"});
        co_await f.write(c);
        BOOST_TEST(f.server.command({"LLEN", list}) == "3977");  // 5001 - 1024
        for (int i = 0; i < 4; ++i)
            co_await f.write(c);
        BOOST_TEST(f.server.command({"LRANGE", list, "0", "-1"}) == "0\n1\n2\n3\n4");
    });
}

BOOST_AUTO_TEST_CASE(one_reply_alone_leaves_no_other_key) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        co_await f.write(c);
        BOOST_TEST(f.server.command({"KEYS", "*"}) == list);
    });
}

BOOST_AUTO_TEST_CASE(everything_expires_when_pushing_ends) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        for (int i = 0; i < 3; ++i)
            co_await f.write(c);
        BOOST_TEST(f.server.command({"EXISTS", ages}) == "1");
        co_await until("all has expired", [&] { return f.server.command({"KEYS", "*"}) == ""; });
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_in_the_place_of_the_notes_costs_no_reply) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        f.server.command({"SET", ages, "foreign"});
        for (int i = 0; i < 3; ++i)
            co_await f.write(c);
        BOOST_TEST(f.there().size() == 3u);
    });
}

BOOST_AUTO_TEST_CASE(the_deaths_of_a_request_that_somebody_removed_are_forgotten) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        auto const& scripts = queue::all_scripts();
        co_await scripts.heartbeat.run(c.redis, "engram:jobs", {"engram", "me", "60000", "1", "{}", ""});
        f.server.command({"LPUSH", "engram:admin", "a request"});
        co_await scripts.admin_take.run(c.redis, "engram:admin", {"engram", "me", "1000"});
        co_await scripts.admin_release.run(c.redis, "engram:admin", {"engram", "me", "a request", "1"});
        f.server.command({"DEL", "engram:admin"});
        BOOST_TEST(f.server.command({"HLEN", "engram:admin:deaths"}) == "1");
        BOOST_TEST(std::stoi(f.server.command({"TTL", "engram:admin:deaths"})) > 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
