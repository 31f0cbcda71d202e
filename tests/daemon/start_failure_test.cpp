// With which status the daemon ends when it cannot start.
#include "daemon/start_failure.hpp"

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <ios>
#include <new>
#include <stdexcept>
#include <sysexits.h>
#include <system_error>

namespace {

using namespace engram::daemon;

BOOST_AUTO_TEST_SUITE(start_failures)

BOOST_AUTO_TEST_CASE(what_passes_is_tried_again_and_has_a_cure) {
    for (int const number : {EAGAIN, EMFILE, ENFILE, ENOMEM, ENOBUFS}) {
        auto const standard = judge_start(std::system_error(number, std::system_category(), "thread"));
        BOOST_TEST(standard.status == EX_TEMPFAIL);
        BOOST_TEST(standard.passes());
        BOOST_TEST(standard.cure != "");
        auto const generic = judge_start(std::system_error(number, std::generic_category(), "thread"));
        BOOST_TEST(generic.status == EX_TEMPFAIL);
        auto const boosts =
            judge_start(boost::system::system_error({number, boost::system::system_category()}, "epoll"));
        BOOST_TEST(boosts.status == EX_TEMPFAIL);
        BOOST_TEST(boosts.cure == standard.cure);
    }
    BOOST_TEST(judge_start(std::bad_alloc()).status == EX_TEMPFAIL);
}

BOOST_AUTO_TEST_CASE(what_somebody_has_to_mend_is_not_tried_again) {
    BOOST_TEST(judge_start(std::runtime_error("no CA certificates can be read")).status == EX_CONFIG);
    BOOST_TEST(judge_start(std::invalid_argument("not a URL")).status == EX_CONFIG);
    auto const missing = judge_start(std::system_error(ENOENT, std::system_category()));
    BOOST_TEST(missing.status == EX_CONFIG);
    BOOST_TEST(!missing.passes());
}

BOOST_AUTO_TEST_CASE(a_number_of_another_kind_of_error_is_none_of_the_system) {
    BOOST_TEST(judge_start(std::system_error(EAGAIN, std::iostream_category())).status == EX_CONFIG);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
