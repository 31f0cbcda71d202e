#include "claude/answer_fold.hpp"

#include "recorder.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace engram::claude;
using engram::tests::recorder;

namespace {

struct fixture {
    std::vector<price> prices{{"m", 1, 2, 4, 8}};
    recorder hears;
    answer_fold fold{"asked", prices, hears};

    void begin() { fold.add(message_start{"m", {10, 1, {}, {}}}); }
    void add_text(std::string_view first, std::string_view second = "") {
        fold.add(block_start{});
        fold.add(text_delta{first});
        fold.add(text_delta{second});
        fold.add(block_stop{});
    }
    void end(std::string_view stop_reason = "end_turn", token_counts used = {}) {
        fold.add(message_delta{stop_reason, used});
        fold.add(message_stop{});
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(answer_folds, fixture)

BOOST_AUTO_TEST_CASE(an_answer_is_the_sum_of_its_events) {
    begin();
    add_text("Hel", "lo");
    fold.add(block_start{false});
    fold.add(block_stop{});
    add_text(" you");
    end();
    BOOST_TEST(!fold.problem());
    fold.set_request_id("req_1");
    auto const answer = fold.take();
    BOOST_REQUIRE(answer.content.size() == 2U);
    BOOST_TEST(answer.content[0].text() == "Hello");
    BOOST_TEST(answer.text() == "Hello you");
    BOOST_TEST(answer.model == "m");
    BOOST_TEST(answer.stop_reason == "end_turn");
    BOOST_TEST(answer.request_id == "req_1");
    BOOST_TEST(hears.heard == "Hel|lo| you|");
}

BOOST_AUTO_TEST_CASE(later_counts_replace_earlier_ones) {
    begin();
    fold.add(message_delta{"", {{}, 7, 3, {}}});
    fold.add(message_delta{"max_tokens", {{}, 9, {}, 5}});
    fold.add(message_delta{"", {}});
    fold.add(message_stop{});
    auto const answer = fold.take();
    BOOST_TEST(answer.usage.input_tokens == 10);
    BOOST_TEST(answer.usage.output_tokens == 9);
    BOOST_TEST(answer.usage.cache_read_input_tokens == 3);
    BOOST_TEST(answer.usage.cache_creation_input_tokens == 5);
    BOOST_TEST(answer.stop_reason == "max_tokens");
    BOOST_TEST(*answer.cost_usd == (10 + 9 * 2 + 5 * 4 + 3 * 8) / 1e6, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_asked_model_stands_in_for_one_that_is_not_named) {
    fold.add(message_start{});
    end();
    auto const answer = fold.take();
    BOOST_TEST(answer.model == "asked");
    BOOST_TEST(!answer.cost_usd.has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_is_not_whole) {
    auto const is_cut = [&] { return fold.problem() && fold.problem()->why == "ends before it is whole"; };
    BOOST_TEST(is_cut());
    begin();
    BOOST_TEST(is_cut());
    fold.add(block_start{});
    BOOST_TEST(is_cut());
    fold.add(text_delta{"x"});
    fold.add(block_stop{});
    BOOST_TEST(is_cut());
    fold.add(message_delta{"end_turn", {}});
    BOOST_TEST(is_cut());
    fold.add(message_stop{});
    BOOST_TEST(!fold.problem());
    fold.expect_next();
    BOOST_TEST(is_cut());
}

BOOST_AUTO_TEST_CASE(an_event_that_cannot_come_now_breaks_the_answer) {
    using step = std::function<void(answer_fold&)>;
    auto const step_of = [](auto event) { return step([event](answer_fold& f) { f.add(event); }); };
    auto const start = step_of(message_start{}), text = step_of(block_start{}),
               other = step_of(block_start{false}), delta = step_of(text_delta{"x"}),
               stop = step_of(block_stop{}), end = step_of(message_stop{}), late = step_of(message_delta{});
    std::vector<std::vector<step>> const bad = {
        {text},
        {delta},
        {stop},
        {late},
        {end},
        {start, start},
        {start, delta},
        {start, stop},
        {start, text, text},
        {start, text, late},
        {start, text, end},
        {start, other, delta},
        {start, other, other},
        {start, text, stop, stop},
        {start, end, start},
        {start, end, delta},
        {start, delta, end},  // broken for good
    };
    for (auto const& steps : bad) {
        answer_fold broken("asked", prices, hears);
        for (auto const& one : steps)
            one(broken);
        BOOST_REQUIRE(broken.problem().has_value());
        BOOST_TEST(broken.problem()->why == "has events in an order that makes no message");
        broken.restart();
        start(broken);
        end(broken);
        BOOST_TEST(!broken.problem());
    }
}

BOOST_AUTO_TEST_CASE(a_restart_drops_what_came_and_says_so) {
    begin();
    add_text("wrong");
    fold.add(block_start{});
    fold.add(text_delta{"more"});
    fold.restart();
    begin();
    add_text("right");
    end();
    auto const answer = fold.take();
    BOOST_TEST(answer.text() == "right");
    BOOST_TEST(answer.usage.input_tokens == 10);
    BOOST_TEST(hears.heard == "wrong|more|restart|right|");
}

BOOST_AUTO_TEST_CASE(a_restart_of_what_nobody_heard_is_not_told) {
    fold.restart();
    begin();
    fold.add(block_start{});
    fold.restart();
    BOOST_TEST(hears.heard == "");
}

BOOST_AUTO_TEST_CASE(a_second_message_goes_on_where_the_first_was_whole) {
    begin();
    add_text("one ");
    end("pause_turn");
    fold.expect_next();
    begin();
    add_text("two");
    end("end_turn", {{}, 5, {}, {}});
    auto const answer = fold.take();
    BOOST_TEST(answer.text() == "one two");
    BOOST_TEST(answer.stop_reason == "end_turn");
    BOOST_TEST(answer.usage.input_tokens == 20);
    BOOST_TEST(answer.usage.output_tokens == 6);
    BOOST_TEST(*answer.cost_usd == (20 + 6 * 2) / 1e6, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(hears.heard == "one |two|");
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_the_messages_that_were_whole) {
    begin();
    add_text("one ");
    end("pause_turn");
    fold.expect_next();
    fold.restart();  // nothing of the second was heard
    BOOST_TEST(hears.heard == "one |");
    begin();
    add_text("wrong");
    fold.restart();
    begin();
    add_text("two");
    end();
    BOOST_TEST(fold.take().text() == "one two");
    BOOST_TEST(hears.heard == "one |wrong|restart|one |two|");
}

BOOST_AUTO_TEST_CASE(one_message_without_a_price_makes_the_cost_unknown) {
    for (auto const* const unpriced : {"first", "second"}) {
        answer_fold all("asked", prices, hears);
        for (std::string_view const which : {"first", "second"}) {
            all.add(message_start{which == unpriced ? "other" : "m", {10, 1, {}, {}}});
            all.add(message_stop{});
            if (which == "first") all.expect_next();
        }
        BOOST_TEST(!all.take().cost_usd.has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()
