#include "workers/admin/erasure_upkeep.hpp"

#include "workers/scripted_memories.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace engram;
using namespace std::chrono_literals;
using kind = store::pending_erasure::kind;

class stopped_clock : public base::clock {
public:
    [[nodiscard]] base::wall_time wall() const override { return base::wall_time(1'764'000'000'000ms); }
};

struct fixture {
    asio::io_context io;
    stopped_clock clock;
    test::journal journal;
    test::scripted_memories curator{journal};
    test::scripted_traces traces{journal};
    workers::admin requests{make_rules(), curator, traces, clock, io.get_executor()};

    static workers::admin_rules make_rules() {
        workers::admin_rules rules;
        rules.prefix = "engram";
        rules.patience = 0ms;
        rules.reply_on_its_way = 20s;
        return rules;
    }

    // Until it has looked for a due erasure and found none.
    void run() {
        workers::erasure_upkeep upkeep({1h, 10min}, curator, requests, clock, io.get_executor());
        upkeep.start();
        io.restart();
        io.poll();
        asio::co_spawn(io, upkeep.stop(), asio::detached);
        io.run();
    }
    json::object ask(std::string const& request) {
        std::string reply;
        asio::co_spawn(io, requests.answer(request),
                       [&](std::exception_ptr failure, queue::admin_answer given) {
                           if (failure) std::rethrow_exception(failure);
                           reply = given.reply;
                       });
        io.restart();
        io.run();
        return json::parse(reply).as_object();
    }
    void check_calls(std::vector<std::string> const& wanted) {
        BOOST_TEST(journal.calls == wanted, boost::test_tools::per_element());
        journal = {};
    }
    std::chrono::nanoseconds due_in() { return curator.due.back() - clock.wall(); }
    void tell() {
        store::memory_record memory;
        memory.what.id = 7;
        curator.memories = {memory};
        curator.erased = {{1, 2, 0, 3, 0, 1, 0}, {"engram:reply:j"}, {"j"}, 5};
    }
    static store::pending_erasure pending(kind what, bool cleaned, unsigned tries = 0) {
        return {5, what, "u", {"engram:reply:j"}, {"j"}, cleaned, tries};
    }
};

constexpr char const* deletion = R"({"op":"memory.delete","user_id":"u","memory_id":7,"id":"1"})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(erasure_upkeep, fixture)

BOOST_AUTO_TEST_CASE(replies_are_looked_for_once_more_when_one_on_its_way_must_have_arrived) {
    tell();
    BOOST_TEST(ask(deletion).at("status").as_string() == "ok");
    check_calls({"delete_memory u 7", "erase_replies u some", "settle_erasure 5 cleaned"});
    BOOST_TEST((due_in() == 20s));
    curator.pending = {pending(kind::memory, true)};
    run();
    check_calls({"claim_erasure", "erase_replies u some", "settle_erasure 5 done", "claim_erasure"});
    BOOST_TEST(traces.erased.back().reply_keys == std::vector<std::string>{"engram:reply:j"},
               boost::test_tools::per_element());
    BOOST_TEST(traces.erased.back().job_ids == std::vector<std::string>{"j"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_redis_failed_at_is_tried_again_and_then_looked_at_once_more) {
    tell();
    journal.failing = 2;
    auto const failed = ask(deletion).at("error");
    BOOST_TEST(failed.at("retryable").as_bool());
    check_calls({"delete_memory u 7", "erase_replies u some", "settle_erasure 5 open"});
    BOOST_TEST((due_in() == 5s));
    curator.pending = {pending(kind::session, false)};
    run();
    check_calls({"claim_erasure", "erase_replies u some", "settle_erasure 5 cleaned", "claim_erasure"});
    BOOST_TEST((due_in() == 20s));
}

BOOST_AUTO_TEST_CASE(pauses_between_tries_grow_to_some_minutes) {
    for (unsigned const tries : {0U, 3U, 40U}) {
        journal = {};
        journal.failing = 2;
        curator.pending = {pending(kind::memory, false, tries)};
        run();
        check_calls({"claim_erasure", "erase_replies u some", "settle_erasure 5 open", "claim_erasure"});
        auto const most = tries == 0 ? 5s : tries == 3 ? 40s : 300s;
        BOOST_TEST((due_in() <= most && due_in() >= most * 3 / 4));
    }
}

BOOST_AUTO_TEST_CASE(a_user_is_forgotten_from_the_beginning) {
    tell();
    journal.failing = 4;
    BOOST_TEST(ask(R"({"op":"user.forget","user_id":"u","id":"1"})").at("status").as_string() == "error");
    check_calls({"forget_user u keep", "find_jobs u", "forget_user u keep", "erase_replies u all",
                 "settle_erasure 5 open"});
    curator.pending = {pending(kind::user, false)};
    run();
    check_calls({"claim_erasure", "forget_user u keep", "find_jobs u", "forget_user u keep",
                 "erase_replies u all", "erase_dead_letters u", "forget_user u remove", "claim_erasure"});
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_ends_nothing) {
    journal.failing = 1;
    run();
    check_calls({"claim_erasure"});
    curator.pending = {pending(kind::memory, true)};
    journal.failing = 3;
    run();
    check_calls({"claim_erasure", "erase_replies u some", "settle_erasure 5 done", "claim_erasure"});
}

BOOST_AUTO_TEST_SUITE_END()
