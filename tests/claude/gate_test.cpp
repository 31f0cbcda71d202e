#include "claude/gate.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <vector>

using namespace engram::claude;
namespace asio = boost::asio;
using std::chrono::milliseconds;
using state = gate::state;

namespace {

error const bad_key{error_kind::auth, "invalid x-api-key", 401, 1};

struct fixture {
    asio::io_context loop;
    std::vector<state> told;

    gate make(milliseconds pause) {
        return {pause, [this](state next) { told.push_back(next); }, loop.get_executor()};
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gates, fixture)

BOOST_AUTO_TEST_CASE(the_first_who_is_refused_bears_it) {
    auto tested = make(std::chrono::hours(1));
    BOOST_TEST(tested.refused(bad_key));
    BOOST_TEST(!tested.refused(bad_key));
    BOOST_TEST(tested.reason() == bad_key.message);
    tested.try_now();
    BOOST_TEST(!tested.refused(bad_key));
    BOOST_CHECK(told == std::vector({state::shut, state::trial, state::shut}));
}

BOOST_AUTO_TEST_CASE(an_answer_to_a_call_that_began_before_the_refusal_does_not_open_the_gate) {
    auto tested = make(std::chrono::hours(1));
    auto const before = tested.period();
    BOOST_TEST(tested.refused(bad_key));
    tested.answered(before);
    BOOST_CHECK(tested.current() == state::shut);
    tested.answered(tested.period());
    BOOST_CHECK(tested.current() == state::open);
    BOOST_TEST(tested.reason() == "");
}

BOOST_AUTO_TEST_CASE(after_the_pause_one_is_tried) {
    auto tested = make(milliseconds(1));
    asio::cancellation_signal stop;
    asio::co_spawn(loop, tested.run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    loop.poll();
    BOOST_TEST(tested.refused(bad_key));
    while (told.size() < 2)
        loop.run_one();
    BOOST_CHECK(told == std::vector({state::shut, state::trial}));
    asio::post(loop, [&stop] { stop.emit(asio::cancellation_type::terminal); });
    loop.run();
}

BOOST_AUTO_TEST_SUITE_END()
