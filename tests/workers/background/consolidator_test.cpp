#include "workers/background/consolidator.hpp"

#include "workers/bare_upkeep.hpp"
#include "workers/scripted.hpp"
#include "workers/set_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <stdexcept>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace std::chrono_literals;

constexpr char const* merge_two =
    R"({"merges":[{"ids":[1,2],"type":"fact","content":"The user likes tea"}],"supersedes":[]})";
constexpr char const* nothing_to_do = R"({"merges":[],"supersedes":[]})";

// Hands out the tasks it was given, and keeps what is committed.
class consolidation_store : public test::bare_upkeep {
public:
    explicit consolidation_store(asio::any_io_executor executor) : released(std::move(executor)) {}

    struct claim {
        std::size_t least_new;
        base::wall_time before, now, until;
    };

    answer<std::optional<store::consolidation_task>> claim_consolidation(std::size_t least_new,
                                                                         base::wall_time before,
                                                                         base::wall_time now,
                                                                         base::wall_time until) override {
        claims.push_back({least_new, before, now, until});
        while (hold_claims)
            co_await released.wait();
        if (throws) throw std::runtime_error("a bug");
        if (claim_error) co_return store::error{store::error_kind::internal, "damaged"};
        if (tasks.empty()) co_return std::optional<store::consolidation_task>();
        auto task = std::move(tasks.front());
        tasks.pop_front();
        co_return std::optional(std::move(task));
    }

    answer<std::optional<std::size_t>> commit_consolidation(store::consolidation_task task,
                                                            std::vector<store::consolidation_step> steps,
                                                            base::wall_time) override {
        ++commits_begun;
        while (hold_commits)
            co_await released.wait();
        if (commit_error) co_return store::error{*commit_error, "no"};
        if (erased) co_return std::optional<std::size_t>();
        users.push_back(task.user_id);
        committed.push_back(std::move(steps));
        co_return std::optional<std::size_t>(committed.back().size());
    }

    std::deque<store::consolidation_task> tasks;
    std::vector<claim> claims;
    std::vector<std::string> users;
    std::vector<std::vector<store::consolidation_step>> committed;
    int commits_begun = 0;
    bool hold_claims = false, hold_commits = false;
    bool claim_error = false, throws = false, erased = false;
    std::optional<store::error_kind> commit_error;
    base::event released;
};

store::consolidation_task task_of(std::string user, std::int64_t memories = 4) {
    store::consolidation_task task;
    task.user_id = std::move(user);
    task.seen = {3, 1};
    for (std::int64_t label = 1; label <= memories; ++label) {
        store::memory_record record;
        record.what.id = 100 + label;
        record.what.label = label;
        record.what.type = "fact";
        record.what.content = "The user likes tea";
        task.memories.push_back(std::move(record));
    }
    return task;
}

workers::consolidation_options enabled() {
    workers::consolidation_options options;
    options.enabled = true;
    return options;
}

struct fixture {
    asio::io_context io;
    test::scripted_claude claude{io.get_executor()};
    consolidation_store store{io.get_executor()};
    test::set_clock clock;
    claude::gate gate{1h, [](claude::gate::state) {}, io.get_executor()};
    workers::consolidator worker{enabled(), store, claude, gate, clock, io.get_executor()};

    ~fixture() { BOOST_TEST(stops()); }

    // Lets everything that can happen now happen.
    void settle() {
        io.restart();
        while (io.poll() > 0)
            continue;
    }

    void start() {
        worker.start();
        settle();
    }

    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        worker.wake();
        settle();
    }

    bool stops() {
        bool stopped = false;
        asio::co_spawn(io, worker.stop(), [&](std::exception_ptr) { stopped = true; });
        settle();
        return stopped;
    }

    // Claims one more user, who fails by this answer.
    void fail_by(std::string text, std::string stop_reason = "end_turn") {
        store.tasks.push_back(task_of("u"));
        claude.will_say(std::move(text), std::move(stop_reason));
        start();
        BOOST_TEST(claude.asked.size() == 1U);
        BOOST_TEST(store.commits_begun == 0);
        BOOST_TEST(worker.status().failed == 1U);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(consolidator, fixture)

BOOST_AUTO_TEST_CASE(the_cheaper_model_is_asked_in_the_background_and_its_plan_is_committed) {
    store.tasks.push_back(task_of("ada"));
    claude.will_say(merge_two);
    start();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 1U);
    BOOST_TEST(claude.asked[0].model == "claude-haiku-5-5");
    BOOST_TEST(!claude.asked[0].output_schema.empty());
    BOOST_TEST(bool(claude.classes[0] == claude::call_class::background));
    BOOST_REQUIRE_EQUAL(store.committed.size(), 1U);
    BOOST_TEST(store.users[0] == "ada");
    BOOST_REQUIRE_EQUAL(store.committed[0].size(), 1U);
    BOOST_TEST((store.committed[0][0].replaced == std::vector<std::int64_t>{101, 102}));
    BOOST_TEST(worker.status().done == 1U);
    BOOST_TEST(worker.status().merged == 2U);
}

BOOST_AUTO_TEST_CASE(users_are_claimed_one_after_the_other_until_there_is_none) {
    for (auto const user : {"a", "b", "c"}) {
        store.tasks.push_back(task_of(user));
        claude.will_say(nothing_to_do);
    }
    start();
    BOOST_TEST((store.users == std::vector<std::string>{"a", "b", "c"}));
    BOOST_TEST(store.claims.size() == 4U);
    pass(299s);
    BOOST_TEST(store.claims.size() == 4U);
    pass(1s);
    BOOST_TEST(store.claims.size() == 5U);
}

BOOST_AUTO_TEST_CASE(a_claim_outlives_the_call_and_goes_by_count_unless_there_is_an_interval) {
    start();
    BOOST_REQUIRE_EQUAL(store.claims.size(), 1U);
    BOOST_TEST(store.claims[0].least_new == 50U);
    BOOST_TEST(bool(store.claims[0].before == base::wall_time{}));
    BOOST_TEST(bool(store.claims[0].now == clock.wall()));
    BOOST_TEST(bool(store.claims[0].until > clock.wall() + enabled().timeout));
    auto options = enabled();
    options.interval = 24h;
    worker.set_options(options);
    pass(300s);
    BOOST_REQUIRE_EQUAL(store.claims.size(), 2U);
    BOOST_TEST(bool(store.claims[1].before == clock.wall() - 24h));
}

BOOST_AUTO_TEST_CASE(off_by_default_nobody_is_claimed) {
    BOOST_TEST(!workers::consolidation_options{}.enabled);
    worker.set_options({});
    store.tasks.push_back(task_of("u"));
    claude.will_say(nothing_to_do);
    start();
    pass(1h);
    BOOST_TEST(store.claims.empty());
    worker.set_options(enabled());
    settle();
    BOOST_TEST(store.claims.size() == 2U);
}

BOOST_AUTO_TEST_CASE(nobody_is_claimed_while_claude_refuses_everybody) {
    BOOST_TEST((gate.met({claude::error_kind::auth, "no", 401, 1}, gate.period()) == claude::fate::bears));
    store.tasks.push_back(task_of("u"));
    start();
    pass(1h);
    BOOST_TEST(store.claims.empty());
    BOOST_TEST(claude.asked.empty());
    gate.try_now();
    gate.answered(gate.period());
    pass(0s);
    BOOST_TEST(claude.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_plan_without_a_step_is_committed_so_that_the_user_does_not_come_back) {
    store.tasks.push_back(task_of("u"));
    claude.will_say(R"({"merges":[{"ids":[1,9],"type":"fact","content":"x"}],"supersedes":[]})");
    start();
    BOOST_REQUIRE_EQUAL(store.committed.size(), 1U);
    BOOST_TEST(store.committed[0].empty());
    BOOST_TEST(worker.status().refused == 1U);
    BOOST_TEST(worker.status().failed == 0U);
}

BOOST_AUTO_TEST_CASE(a_single_memory_costs_no_call) {
    store.tasks.push_back(task_of("u", 1));
    start();
    BOOST_TEST(claude.asked.empty());
    BOOST_TEST(store.committed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_cut_changes_nothing) {
    fail_by(merge_two, "max_tokens");
}

BOOST_AUTO_TEST_CASE(a_refused_answer_changes_nothing) {
    fail_by(merge_two, "refusal");
}

BOOST_AUTO_TEST_CASE(garbage_changes_nothing) {
    fail_by("Sure! Here is what I would merge:");
}

BOOST_AUTO_TEST_CASE(a_failed_call_changes_nothing) {
    store.tasks.push_back(task_of("u"));
    claude.will_fail(claude::error_kind::unavailable);
    start();
    BOOST_TEST(store.commits_begun == 0);
    BOOST_TEST(worker.status().failed == 1U);
}

BOOST_AUTO_TEST_CASE(the_pause_grows_with_each_failure_and_ends_with_a_success) {
    for (auto const user : {"a", "b", "c", "d", "e"})
        store.tasks.push_back(task_of(user));
    claude.will_say("no");
    claude.will_say("no");
    claude.will_say(nothing_to_do);
    claude.will_say("no");
    claude.will_say(nothing_to_do);
    start();
    BOOST_TEST(claude.asked.size() == 1U);
    pass(22s);
    BOOST_TEST(claude.asked.size() == 1U);
    pass(8s);
    BOOST_TEST(claude.asked.size() == 2U);
    pass(44s);
    BOOST_TEST(claude.asked.size() == 2U);
    pass(16s);
    BOOST_TEST(claude.asked.size() == 4U);  // a success, and the next failure at once
    pass(30s);
    BOOST_TEST(claude.asked.size() == 5U);
}

BOOST_AUTO_TEST_CASE(the_pause_never_exceeds_an_hour) {
    for (int i = 0; i < 40; ++i) {
        store.tasks.push_back(task_of("u" + std::to_string(i)));
        claude.will_say("no");
    }
    start();
    for (std::size_t i = 2; i <= 40; ++i) {
        pass(1h);
        BOOST_TEST(claude.asked.size() == i);
    }
}

BOOST_AUTO_TEST_CASE(a_user_whose_memories_make_it_fail_does_not_hold_up_the_others) {
    store.tasks = {task_of("bad"), task_of("bad"), task_of("good")};
    claude.will_say("no");
    claude.will_say(nothing_to_do);
    start();
    pass(30s);
    BOOST_TEST(claude.asked.size() == 1U);
    pass(1s);
    BOOST_TEST((store.users == std::vector<std::string>{"good"}));
    store.tasks.push_back(task_of("bad"));
    claude.will_say(nothing_to_do);
    pass(10min);
    BOOST_TEST((store.users == std::vector<std::string>{"good", "bad"}));
}

BOOST_AUTO_TEST_CASE(a_success_ends_what_was_held_against_a_user) {
    start();
    for (auto const answer : {"no", nothing_to_do, "no", nothing_to_do}) {
        store.tasks = {task_of("u")};
        claude.will_say(answer);
        pass(10min);
    }
    BOOST_TEST(claude.asked.size() == 4U);
    BOOST_TEST(worker.status().done == 2U);
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_is_away_is_not_held_against_the_user) {
    store.tasks = {task_of("u"), task_of("u")};
    claude.will_fail(claude::error_kind::unavailable);
    claude.will_say(nothing_to_do);
    start();
    pass(30s);
    BOOST_TEST((store.users == std::vector<std::string>{"u"}));
}

BOOST_AUTO_TEST_CASE(what_was_erased_meanwhile_is_not_brought_back) {
    store.erased = true;
    store.tasks.push_back(task_of("u"));
    claude.will_say(merge_two);
    start();
    BOOST_TEST(store.commits_begun == 1);
    BOOST_TEST(worker.status().discarded == 1U);
    BOOST_TEST(worker.status().merged == 0U);
    BOOST_TEST(worker.status().failed == 0U);
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_is_asked_again_later) {
    store.claim_error = true;
    start();
    BOOST_TEST(store.claims.size() == 1U);
    store.claim_error = false;
    store.commit_error = store::error_kind::internal;
    store.tasks.push_back(task_of("u"));
    claude.will_say(merge_two);
    pass(300s);
    BOOST_TEST(store.commits_begun == 1);
    BOOST_TEST(worker.status().failed == 1U);
    BOOST_TEST(worker.status().merged == 0U);
}

BOOST_AUTO_TEST_CASE(an_exception_does_not_end_it) {
    store.throws = true;
    start();
    BOOST_TEST(worker.status().failed == 1U);
    store.throws = false;
    store.tasks.push_back(task_of("u"));
    claude.will_say(nothing_to_do);
    pass(30s);
    BOOST_TEST(store.committed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(it_stops_before_it_was_started) {
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_CASE(it_stops_while_it_claims) {
    store.hold_claims = true;
    start();
    BOOST_TEST(store.claims.size() == 1U);
    BOOST_TEST(stops());
    BOOST_TEST(worker.status().failed == 0U);
}

BOOST_AUTO_TEST_CASE(it_stops_while_it_asks) {
    claude.hold = true;
    store.tasks.push_back(task_of("u"));
    start();
    BOOST_TEST(claude.asked.size() == 1U);
    BOOST_TEST(stops());
    BOOST_TEST(store.commits_begun == 0);
    BOOST_TEST(worker.status().failed == 0U);
}

BOOST_AUTO_TEST_CASE(it_stops_while_it_commits) {
    store.hold_commits = true;
    store.tasks.push_back(task_of("u"));
    claude.will_say(merge_two);
    start();
    BOOST_TEST(store.commits_begun == 1);
    BOOST_TEST(stops());
    BOOST_TEST(worker.status().failed == 0U);
}

BOOST_AUTO_TEST_CASE(it_stops_while_it_waits_for_a_full_disk) {
    store.commit_error = store::error_kind::unavailable;
    store.tasks.push_back(task_of("u"));
    claude.will_say(merge_two);
    start();
    BOOST_TEST(store.commits_begun == 1);
    BOOST_TEST(stops());
    BOOST_TEST(store.committed.empty());
}

BOOST_AUTO_TEST_CASE(it_stops_while_it_pauses_after_a_failure) {
    fail_by("no");
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_CASE(it_stops_while_the_gate_is_shut) {
    BOOST_TEST((gate.met({claude::error_kind::auth, "no", 401, 1}, gate.period()) == claude::fate::bears));
    start();
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_SUITE_END()
