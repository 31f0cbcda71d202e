#include "base/under_way.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <stdexcept>

using engram::base::under_way;

BOOST_AUTO_TEST_SUITE(marks_of_what_is_under_way)

BOOST_AUTO_TEST_CASE(a_step_that_throws_takes_the_mark_back) {
    bool flag = false;
    std::size_t count = 3;
    auto const begin = [&] {
        under_way marked(flag);
        under_way counted(count);
        BOOST_TEST(flag);
        BOOST_TEST(count == 4U);
        throw std::runtime_error("no thread could be started");
    };
    BOOST_CHECK_THROW(begin(), std::runtime_error);
    BOOST_TEST(!flag);
    BOOST_TEST(count == 3U);
}

BOOST_AUTO_TEST_CASE(what_ends_in_the_scope_needs_nothing_else) {
    std::size_t count = 0;
    {
        under_way const one(count);
        under_way const another(count);
        BOOST_TEST(count == 2U);
    }
    BOOST_TEST(count == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_kept_stays) {
    bool flag = false;
    std::size_t count = 0;
    {
        under_way marked(flag);
        under_way counted(count);
        marked.keep();
        counted.keep();
    }
    BOOST_TEST(flag);
    BOOST_TEST(count == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
