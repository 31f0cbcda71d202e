// What is told to the other daemons, and what comes of it.
#include "daemon/pace_share.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using namespace std::chrono_literals;
namespace asio = boost::asio;

struct scripted_client : claude::client {
    std::vector<claude::pace_report> reports;
    std::vector<claude::pace_grant> granted;

    std::vector<claude::pace_report> pace_reports() override { return reports; }
    void grant(std::vector<claude::pace_grant> const& given) override { granted = given; }

    asio::awaitable<claude::result<claude::answer>> ask(claude::request, claude::call_class,
                                                        base::steady_time, claude::listener&) override {
        throw std::logic_error("nothing is asked here");
    }
    asio::awaitable<claude::result<claude::model_info>> describe_model(std::string,
                                                                       base::steady_time) override {
        throw std::logic_error("nothing is asked here");
    }
    void set_api_key(base::secret) override {}
    void set_fallbacks(std::vector<std::string>, bool) override {}
    void on_room(std::function<void(std::optional<std::size_t>)>) override {}
    [[nodiscard]] claude::client_status status() const override { return {}; }
    void close() override {}
};

struct fixture {
    asio::io_context io;
    scripted_client claude;
    std::vector<queue::pace_report> told;
    redis::result<std::vector<queue::pace_grant>> answer = std::vector<queue::pace_grant>();

    asio::awaitable<redis::result<std::vector<queue::pace_grant>>> exchange(
        std::vector<queue::pace_report> reports) {
        told = std::move(reports);
        co_return answer;
    }
    bool share() {
        daemon::pace_share share(
            claude, [this](std::vector<queue::pace_report> reports) { return exchange(std::move(reports)); },
            io.get_executor());
        auto done = asio::co_spawn(io, share.share(), asio::use_future);
        io.restart();
        io.run();
        return done.get();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pace_shares, fixture)

BOOST_AUTO_TEST_CASE(every_figure_arrives_and_what_comes_back_is_granted) {
    claude.reports = {{.model = "m",
                       .chats = 1,
                       .others = 2,
                       .soon = 3,
                       .answered_a_minute = 4,
                       .unused = 5,
                       .refused = true,
                       .allowed = 6,
                       .left = 7,
                       .hold = 8ms}};
    answer = std::vector<queue::pace_grant>{{"m", 9, 10.5}};
    BOOST_TEST(share());
    BOOST_REQUIRE(told.size() == 1U);
    BOOST_TEST(told[0].model == "m");
    BOOST_TEST(told[0].chats == 1U);
    BOOST_TEST(told[0].others == 2U);
    BOOST_TEST(told[0].soon == 3U);
    BOOST_TEST(told[0].answered_a_minute == 4U);
    BOOST_TEST(told[0].unused == 5U);
    BOOST_TEST(told[0].refused);
    BOOST_TEST(told[0].allowed == 6);
    BOOST_TEST(told[0].left == 7);
    BOOST_TEST(told[0].hold.count() == 8);
    BOOST_REQUIRE(claude.granted.size() == 1U);
    BOOST_TEST(claude.granted[0].model == "m");
    BOOST_TEST(claude.granted[0].calls == 9U);
    BOOST_TEST(claude.granted[0].a_minute == 10.5);
}

BOOST_AUTO_TEST_CASE(where_nothing_is_scarce_redis_hears_nothing) {
    BOOST_TEST(!share());
    BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(without_redis_nothing_is_granted) {
    claude.reports = {{.model = "m"}};
    answer = redis::error{redis::error_kind::disconnected, "away"};
    BOOST_TEST(!share());
    BOOST_TEST(told.size() == 1U);
    BOOST_TEST(claude.granted.empty());
}

BOOST_AUTO_TEST_SUITE_END()
