// What is told of models that end.
#include "daemon/model_watch.hpp"

#include "workers/set_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::daemon;
using namespace std::chrono_literals;
using claude::error_kind;
using told = claude::result<claude::model_info>;

constexpr auto day = 24h;

struct fixture {
    // Those that are not named in `models` cannot be asked for.
    boost::asio::awaitable<told> answer(std::string model) {
        asked.push_back(model);
        auto const known = models.find(model);
        if (known == models.end()) co_return claude::error{error_kind::unavailable, "no such page", 501, 1};
        co_return known->second;
    }

    model_watch make(watch_pauses pauses) {
        return {[this] { return used; },
                [this](std::string model, base::steady_time) { return answer(std::move(model)); }, clock,
                io.get_executor(), pauses};
    }

    void ends(std::string const& model, std::chrono::milliseconds in) {
        models.insert_or_assign(model, told(claude::model_info{model, clock.wall() + in, 0}));
    }

    // How many were warned of.
    std::size_t look() {
        auto warned = boost::asio::co_spawn(io, watch.look(), boost::asio::use_future);
        io.restart();
        io.run();
        return warned.get();
    }

    boost::asio::io_context io;
    test::set_clock clock;
    std::vector<used_model> used{{"chat", "claude.model"}, {"cheap", "summary.model"}};
    std::map<std::string, told> models;
    std::vector<std::string> asked;
    model_watch watch = make({});
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(models_in_use, fixture)

BOOST_AUTO_TEST_CASE(one_that_ends_within_sixty_days_is_warned_of_at_each_look) {
    ends("chat", 61 * day);
    models.insert_or_assign("cheap", told(claude::model_info{"cheap"}));
    BOOST_TEST(look() == 0u);
    BOOST_REQUIRE_EQUAL(watch.known().size(), 2u);
    BOOST_TEST(watch.known()[0].model == "chat");
    BOOST_TEST((watch.known()[0].retires_at == clock.wall() + 61 * day));
    BOOST_TEST(!watch.known()[1].retires_at);
    clock.advance(2 * day);
    BOOST_TEST(look() == 1u);
    clock.advance(day);
    BOOST_TEST(look() == 1u);
    clock.advance(100 * day);  // it should have ended, and has not
    BOOST_TEST(look() == 1u);
    BOOST_TEST(!watch.known()[0].gone);
}

BOOST_AUTO_TEST_CASE(one_that_is_gone_is_warned_of) {
    models.insert_or_assign(
        "chat", told(claude::error{error_kind::model_gone, "404 not_found_error: model: chat", 404, 1}));
    BOOST_TEST(look() == 1u);
    BOOST_REQUIRE_EQUAL(watch.known().size(), 1u);
    BOOST_TEST(watch.known()[0].gone);
    ends("chat", 100 * day);  // and is back
    BOOST_TEST(look() == 0u);
    BOOST_TEST(!watch.known().at(0).gone);
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_does_not_tell_is_left_alone) {
    BOOST_TEST(look() == 0u);
    BOOST_TEST(asked.size() == 2u);
    BOOST_TEST(watch.known().empty());
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_knows_no_such_path_says_nothing_of_a_model) {
    claude::error const unknown{error_kind::model_gone, "404 not_found_error: File Not Found", 404, 1};
    models.insert_or_assign("chat", told(unknown));
    BOOST_TEST(look() == 0u);
    BOOST_TEST(watch.known().empty());
}

BOOST_AUTO_TEST_CASE(what_was_told_before_an_answer_that_failed_stays) {
    ends("chat", 30 * day);
    BOOST_TEST(look() == 1u);
    models.clear();
    BOOST_TEST(look() == 1u);
    BOOST_TEST(watch.known().size() == 1u);
    used = {{"other", "claude.model"}};
    BOOST_TEST(look() == 0u);
    BOOST_TEST(watch.known().empty());
}

BOOST_AUTO_TEST_CASE(each_model_is_asked_for_once_though_several_keys_name_it) {
    used = {{"chat", "claude.model"}, {"chat", "summary.model"}, {"cheap", "consolidation.model"}};
    look();
    BOOST_TEST((asked == std::vector<std::string>{"chat", "cheap"}));
}

BOOST_AUTO_TEST_CASE(it_looks_after_a_while_again_and_again_and_soon_after_a_change) {
    ends("chat", 300 * day);
    ends("cheap", 300 * day);
    auto const looks = [this](watch_pauses pauses, std::size_t times, bool with_change) {
        asked.clear();
        auto fresh = make(pauses);
        boost::asio::cancellation_signal stop;
        boost::asio::co_spawn(io, fresh.run(),
                              boost::asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
        io.restart();
        auto const until = std::chrono::steady_clock::now() + 30s;
        bool changed = !with_change;
        while (asked.size() < times * used.size() && std::chrono::steady_clock::now() < until) {
            io.run_one_for(100ms);
            if (!changed && asked.size() >= used.size()) {
                fresh.changed();
                changed = true;
            }
        }
        stop.emit(boost::asio::cancellation_type::terminal);
        io.run();
        return asked.size() / used.size();
    };
    BOOST_TEST(looks({1ms, 1ms}, 3, false) == 3u);
    BOOST_TEST(looks({1ms, day}, 2, true) == 2u);
    models.insert_or_assign("cheap", told(claude::error{error_kind::deadline, "no answer", 0, 1}));
    BOOST_TEST(looks({1ms, day, 1ms}, 3, false) == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
