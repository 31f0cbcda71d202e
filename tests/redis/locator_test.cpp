// Where the client connects next.
#include "redis/locator.hpp"

#include "support/loop.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>

namespace {

using namespace engram;
using namespace engram::redis;

struct fixture : test::loop {
    redis::locator locator{
        redis::options{.url = "redis://ada:secret@seed:7000", .sentinels = {}, .service = {}, .ca_file = {}}};
    net::connector connector{false, ""};

    test::task<void> look(std::string& place) {
        auto const found = co_await locator.find(connector, base::steady_time::max());
        if (found) place = found->to_text();
    }
    std::string next() {
        std::string place;
        run(look(place));
        return place;
    }
};

BOOST_FIXTURE_TEST_SUITE(locating_redis, fixture)

BOOST_AUTO_TEST_CASE(without_more_knowledge_it_is_the_configured_server_each_time) {
    auto const seed = next();
    BOOST_TEST(seed == "redis://ada@seed:7000");
    locator.failed();
    BOOST_TEST(next() == seed);
}

BOOST_AUTO_TEST_CASE(a_node_that_was_named_is_used_until_it_fails) {
    auto const seed = locator.configured();
    BOOST_TEST(locator.moved("MOVED 3999 10.0.0.2:7001", seed));
    BOOST_TEST(next() == "redis://ada@10.0.0.2:7001");
    BOOST_TEST(next() == "redis://ada@10.0.0.2:7001");
    locator.failed();
    BOOST_TEST(next() == "redis://ada@seed:7000");
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_host_means_the_one_that_gave_it) {
    auto by = locator.configured();
    by.host = "10.0.0.7";
    BOOST_TEST(locator.moved("MOVED 1 :7005", by));
    BOOST_TEST(next() == "redis://ada@10.0.0.7:7005");
    BOOST_TEST(locator.moved("MOVED 1 ::1:7006", by));
    BOOST_TEST(next().ends_with(":7006"));
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_read_changes_nothing) {
    for (auto const* odd : {"MOVED", "MOVED 1 host", "MOVED 1 host:", "MOVED 1 host:0", "MOVED 1 host:70000",
                            "MOVED 1 host:7x"})
        BOOST_TEST(!locator.moved(odd, locator.configured()));
    BOOST_TEST(next() == "redis://ada@seed:7000");
}

BOOST_AUTO_TEST_CASE(the_other_nodes_of_the_cluster_are_tried_in_turn) {
    locator.learn({"10.0.0.1:1", "10.0.0.2:2"});
    BOOST_TEST(next() == "redis://ada@seed:7000");
    locator.failed();
    BOOST_TEST(next() == "redis://ada@10.0.0.1:1");
    locator.failed();
    BOOST_TEST(next() == "redis://ada@10.0.0.2:2");
    locator.failed();
    BOOST_TEST(next() == "redis://ada@seed:7000");
}

BOOST_AUTO_TEST_CASE(a_sentinels_address_is_a_host_or_a_url) {
    BOOST_TEST(parse_sentinel("one")->to_text() == "redis://one:26379");
    BOOST_TEST(parse_sentinel("one:5")->to_text() == "redis://one:5");
    BOOST_TEST(parse_sentinel("[::1]")->port == 26379);
    BOOST_TEST(parse_sentinel("[::1]:7")->port == 7);
    BOOST_TEST(parse_sentinel("rediss://:secret@one:5")->password.reveal() == "secret");
    for (auto const* odd : {"", "a:b", "a:0", "user@host:1", "http://host", "/socket"})
        BOOST_TEST(parse_sentinel(odd).has_error());
    BOOST_CHECK_THROW(redis::locator(redis::options{.sentinels = {"a:b"}, .service = "m", .ca_file = {}}),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
