#include "base/repeated.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace {

using namespace std::chrono_literals;
using engram::base::repeated;
using engram::base::steady_time;
using told = std::optional<std::uint64_t>;

constexpr steady_time start{1h};

}  // namespace

BOOST_AUTO_TEST_SUITE(warnings_that_are_repeated)

BOOST_AUTO_TEST_CASE(one_that_is_new_is_told_at_once_and_the_same_once_a_minute_with_how_many_there_were) {
    repeated warning;
    BOOST_TEST((warning.tell("refused", start) == told(0)));
    for (int i = 1; i < 60; ++i)
        BOOST_TEST(!warning.tell("refused", start + i * 1s));
    BOOST_TEST((warning.tell("refused", start + 60s) == told(59)));
    BOOST_TEST(!warning.tell("refused", start + 61s));
    BOOST_TEST((warning.tell("refused", start + 200s) == told(1)));
}

BOOST_AUTO_TEST_CASE(another_cause_is_told_at_once_and_two_that_take_turns_are_not) {
    repeated warning;
    BOOST_TEST((warning.tell("refused", start) == told(0)));
    BOOST_TEST(!warning.tell("refused", start + 1s));
    BOOST_TEST((warning.tell("no answer", start + 2s) == told(1)));
    for (int i = 3; i < 60; ++i)
        BOOST_TEST(!warning.tell(i % 2 == 0 ? "refused" : "no answer", start + i * 1s));
    BOOST_TEST((warning.tell("refused", start + 60s) == told(57)));
}

BOOST_AUTO_TEST_CASE(one_whose_cause_is_another_each_time_is_not_told_without_end) {
    repeated warning(10s);
    std::size_t lines = 0;
    for (int i = 0; i < 1000; ++i)
        if (warning.tell("after " + std::to_string(i) + " ms", start + i * 1ms)) ++lines;
    BOOST_TEST(lines == repeated::most_causes);
    BOOST_TEST((warning.tell("after a while", start + 11s) == told(1000 - repeated::most_causes)));
}

BOOST_AUTO_TEST_CASE(after_it_was_over_it_is_new) {
    repeated warning;
    BOOST_TEST((warning.tell("refused", start) == told(0)));
    BOOST_TEST(!warning.tell("refused", start + 1s));
    warning.over();
    BOOST_TEST((warning.tell("refused", start + 2s) == told(0)));
    BOOST_TEST(!warning.tell("refused", start + 3s));
}

BOOST_AUTO_TEST_SUITE_END()
