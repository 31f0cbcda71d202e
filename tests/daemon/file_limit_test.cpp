// How many calls the limit of open files leaves room for.
#include "daemon/file_limit.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sys/resource.h>

namespace {

using namespace engram::daemon;

// Two readers, 256 jobs, 5,000 connections, no embedding.
config usual() {
    config one;
    one.store.readers = 2;
    one.queue.max_in_flight = 256;
    one.claude.max_connections = 5'000;
    return one;
}

BOOST_AUTO_TEST_SUITE(file_limits)

BOOST_AUTO_TEST_CASE(with_plenty_everything_stays_as_configured) {
    auto values = usual();
    auto const budget = budget_of(65'536, values);
    BOOST_TEST(budget.is_enough());
    fit(values, budget);
    BOOST_TEST(values.claude.max_connections == 5'000u);
    BOOST_TEST(values.queue.max_in_flight == 256u);
}

BOOST_AUTO_TEST_CASE(with_sixty_four_nine_calls_run_at_a_time_and_all_jobs_are_taken) {
    auto values = usual();
    auto const budget = budget_of(64, values);
    BOOST_TEST(budget.reserved == 52u);
    BOOST_TEST(budget.calls == 12u);
    BOOST_TEST(budget.is_enough_to_start());
    BOOST_TEST(!budget.is_enough());
    fit(values, budget);
    BOOST_TEST(values.claude.max_connections == 9u);
    BOOST_TEST(values.queue.max_in_flight == 256u);
}

BOOST_AUTO_TEST_CASE(each_job_may_have_a_connection_to_the_embedding_endpoint) {
    auto values = usual();
    values.embedding.base_url = "http://127.0.0.1:1";
    fit(values, budget_of(64, values));
    BOOST_TEST(values.claude.max_connections == 9u);
    BOOST_TEST(values.queue.max_in_flight == 3u);
}

BOOST_AUTO_TEST_CASE(no_more_queries_than_the_embedding_client_sends_need_a_connection) {
    auto values = usual();
    values.embedding.base_url = "http://127.0.0.1:1";
    auto const budget = budget_of(52 + 342, values);
    BOOST_TEST(budget.needed == 52u + 342u);  // three quarters of them are 256
    fit(values, budget);
    BOOST_TEST(values.queue.max_in_flight == 256u);
}

BOOST_AUTO_TEST_CASE(what_is_needed_is_the_least_limit_that_lowers_nothing) {
    for (auto const* const endpoint : {"", "http://127.0.0.1:1"}) {
        for (std::size_t const jobs : {1u, 2u, 7u, 256u, 1'000u}) {
            auto values = usual();
            values.embedding.base_url = endpoint;
            values.queue.max_in_flight = values.claude.max_connections = jobs;
            auto const needed = budget_of(0, values).needed;
            auto enough = values;
            fit(enough, budget_of(needed, values));
            BOOST_TEST(enough.claude.max_connections == jobs);
            BOOST_TEST(enough.queue.max_in_flight == jobs);
            fit(values, budget_of(needed - 1, values));
            BOOST_TEST(
                (values.claude.max_connections < jobs || values.queue.max_in_flight < jobs || jobs == 1));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_few_calls_are_the_least) {
    BOOST_TEST(budget_of(56, usual()).is_enough_to_start());
    for (std::size_t const limit : {55u, 40u, 0u})
        BOOST_TEST(!budget_of(limit, usual()).is_enough_to_start());
    auto readers = usual();
    readers.store.readers = 12;
    BOOST_TEST(!budget_of(64, readers).is_enough_to_start());
}

BOOST_AUTO_TEST_CASE(the_limit_is_raised_to_what_the_system_grants) {
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    auto lower = before;
    lower.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &lower);
    BOOST_TEST(raise_file_limit() == std::min<std::size_t>(before.rlim_max, 1'000'000'000));
    setrlimit(RLIMIT_NOFILE, &before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
