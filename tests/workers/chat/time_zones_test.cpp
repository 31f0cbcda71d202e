#include "workers/chat/time_zones.hpp"

#include "support/no_descriptors.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace engram;

struct fixture {
    asio::io_context io;
    asio::steady_timer timer{io};  // so that the loop has its own descriptors
    std::optional<workers::time_zones> zones{io.get_executor()};

    // Nothing found is not the same as not ended.
    std::optional<workers::time_zone const*> find(std::string name) {
        std::optional<workers::time_zone const*> found;
        asio::co_spawn(io, zones->find(std::move(name)),
                       [&](std::exception_ptr error, workers::time_zone const* zone) {
                           BOOST_TEST(!error);
                           BOOST_TEST(bool(std::this_thread::get_id() == here));
                           found = zone;
                       });
        io.restart();
        io.run_for(std::chrono::seconds(30));
        return found;
    }

    std::thread::id here = std::this_thread::get_id();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(time_zones_of_jobs, fixture)

BOOST_AUTO_TEST_CASE(a_zone_is_read_once_and_stays) {
    auto const first = find("Europe/Berlin");
    BOOST_REQUIRE(first);
    BOOST_REQUIRE(*first);
    auto const other = find("Asia/Tokyo");
    BOOST_REQUIRE(other);
    BOOST_TEST(*other != *first);
    BOOST_TEST(bool(find("Europe/Berlin") == first));
}

BOOST_AUTO_TEST_CASE(utc_is_there_at_once) {
    bool found = false;
    asio::co_spawn(io, zones->find("UTC"),
                   [&](std::exception_ptr, workers::time_zone const* zone) { found = zone != nullptr; });
    io.poll();
    BOOST_TEST(found);
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_not_found_however_often) {
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(bool(find("Mars/Olympus") == std::optional<workers::time_zone const*>(nullptr)));
}

BOOST_AUTO_TEST_CASE(a_zone_that_cannot_be_read_ends_the_wait_and_is_looked_for_again) {
    std::exception_ptr why;
    {
        tests::no_descriptors const none;
        asio::co_spawn(io, zones->find("America/Lima"),
                       [&](std::exception_ptr error, workers::time_zone const*) { why = std::move(error); });
        io.run_for(std::chrono::seconds(30));
    }
    BOOST_REQUIRE(why);
    BOOST_CHECK_THROW(std::rethrow_exception(why), workers::unreadable_zone);
    auto const found = find("America/Lima");
    BOOST_REQUIRE(found);
    BOOST_TEST(*found != nullptr);
}

BOOST_AUTO_TEST_CASE(a_zone_that_is_not_known_yet_lets_others_go_on) {
    bool others_ran = false;
    std::optional<bool> before_the_end;
    asio::co_spawn(io, zones->find("Europe/Rome"),
                   [&](std::exception_ptr, workers::time_zone const*) { before_the_end = others_ran; });
    asio::post(io, [&] { others_ran = true; });
    io.run_for(std::chrono::seconds(30));
    BOOST_REQUIRE(before_the_end);
    BOOST_TEST(*before_the_end);
}

BOOST_AUTO_TEST_CASE(many_that_ask_for_one_zone_at_a_time_get_the_same) {
    std::vector<workers::time_zone const*> found;
    for (int i = 0; i < 20; ++i)
        asio::co_spawn(io, zones->find("Africa/Lagos"),
                       [&](std::exception_ptr, workers::time_zone const* zone) { found.push_back(zone); });
    io.run_for(std::chrono::seconds(30));
    BOOST_REQUIRE_EQUAL(found.size(), 20u);
    for (auto const* zone : found)
        BOOST_TEST(zone == found[0]);
    BOOST_TEST(found[0] != nullptr);
}

BOOST_AUTO_TEST_CASE(what_waits_at_the_end_is_given_up_and_leaves_nothing) {
    auto const held = std::make_shared<bool>(false);
    {
        asio::io_context ends;
        workers::time_zones end_first(ends.get_executor());
        for (int i = 0; i < 50; ++i)
            asio::co_spawn(ends, end_first.find("Europe/Paris"),
                           [held](std::exception_ptr, workers::time_zone const*) { *held = true; });
        ends.poll_one();
        BOOST_TEST(held.use_count() == 51);
    }
    BOOST_TEST(held.use_count() == 1);
    BOOST_TEST(!*held);
}

BOOST_AUTO_TEST_SUITE_END()
