// What the tests of requests about memory share: one request is carried out, its answer looked at.
#pragma once

#include "workers/admin/admin.hpp"
#include "workers/scripted_memories.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::test {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

#define CHECK_VALUE(given, wanted)                                                                   \
    do {                                                                                             \
        json::value const is = (given);                                                              \
        json::value const ought = (wanted);                                                          \
        BOOST_CHECK_MESSAGE(is == ought, json::serialize(is) + " is not " + json::serialize(ought)); \
    } while (false)

#define CHECK_JSON(given, wanted) CHECK_VALUE(given, json::parse(wanted))

class stopped_clock : public base::clock {
public:
    [[nodiscard]] base::wall_time wall() const override { return base::wall_time(1'764'000'000'123ms); }
};

inline store::memory_record memory_of(std::int64_t id, std::string content) {
    store::memory_record memory;
    memory.what = {id, "fact", std::move(content), "2026-11-23 10:00:00.123", "s", 12};
    memory.updated_at = "2026-11-23 10:00:01.000";
    memory.last_seen = "2026-11-23 10:00:02.000";
    memory.valid_from = "2026-11-23 10:00:03.000";
    memory.job_id = "j";
    return memory;
}

inline store::turn_record turn_of(std::int64_t id, store::role role, std::string content) {
    return {{id, role, std::move(content)}, "s", "2026-11-23 10:00:00.123", false};
}

/// Requests of one user to the store and Redis that a script stands for.
struct admin_fixture {
    asio::io_context io;
    stopped_clock clock;
    test::journal journal;
    test::scripted_memories curator{journal};
    test::scripted_traces traces{journal};
    workers::admin_rules rules = make_rules();

    static workers::admin_rules make_rules() {
        workers::admin_rules rules;
        rules.prefix = "engram";
        rules.patience = 0ms;
        rules.types = *workers::categories::make({{"fact", "", 9, 60s}, {"recipe", "food", 3, 0s}});
        return rules;
    }

    admin_fixture() {
        curator.memories = {memory_of(7, "likes \"tea\""), memory_of(8, "has a dog")};
        curator.turns = {turn_of(3, store::role::user, "Hi"), turn_of(4, store::role::assistant, "Ho")};
        curator.sessions = {{"s", "2026-11-23 10:00:00.123", 8}};
        curator.changed = {curator.memories[0], "added", 0};
        curator.erased = {{2, 2, 1, 3, 1, 1, 1}, {"engram:reply:j"}, {"j"}};
    }

    queue::admin_answer answer(std::string text) {
        workers::admin admin(rules, curator, traces, clock, io.get_executor());
        queue::admin_answer answer;
        asio::co_spawn(io, admin.answer(std::move(text)),
                       [&](std::exception_ptr failure, queue::admin_answer given) {
                           if (failure) std::rethrow_exception(failure);
                           answer = std::move(given);
                       });
        io.restart();
        io.run();
        return answer;
    }

    // The answer to a request of `user`, who waits at engram:reply:1.
    json::object reply(std::string_view op, std::string_view more = "", std::string const& user = "u") {
        std::string text = R"({"id":"1","user_id":")" + user + R"(","op":")" + std::string(op) + '"';
        if (!more.empty()) text += "," + std::string(more);
        auto const given = answer(text + "}");
        BOOST_TEST(given.id == "1");
        BOOST_TEST(given.reply_to == "engram:reply:1");
        BOOST_TEST(!given.dead.has_value());
        auto const value = json::parse(given.reply);
        CHECK_VALUE(value.at("id"), "1");
        CHECK_VALUE(value.at("op"), json::string_view(op));
        return value.as_object();
    }

    json::value result(std::string_view op, std::string_view more = "") {
        auto const given = reply(op, more);
        BOOST_REQUIRE_MESSAGE(given.at("status") == "ok", json::serialize(given));
        return given.at("result");
    }

    json::object error(std::string_view op, std::string_view more = "", std::string const& user = "u") {
        auto const given = reply(op, more, user);
        BOOST_REQUIRE_MESSAGE(given.at("status") == "error", json::serialize(given));
        return given.at("error").as_object();
    }

    void wait_for_job(std::string ticket, std::string body, queue::job_place place = queue::job_place::lane) {
        traces.waiting.push_back({place, std::move(ticket), "", std::move(body)});
    }
};

inline std::string const memory_7 =
    R"("id":7,"label":12,"type":"fact","content":"likes \"tea\"","created_at":"2026-11-23 10:00:00.123",)"
    R"("updated_at":"2026-11-23 10:00:01.000","last_seen":"2026-11-23 10:00:02.000","times_seen":1,)"
    R"("pinned":false,"valid_from":"2026-11-23 10:00:03.000","valid_to":null,"superseded_by":null,)"
    R"("expires_at":null,"session_id":"s","job_id":"j")";
inline std::string const turn_3 =
    R"("id":3,"session_id":"s","role":"user","content":"Hi","created_at":"2026-11-23 10:00:00.123",)"
    R"("summarized":false)";
inline std::string const session_s = R"("session_id":"s","turns":8,"updated_at":"2026-11-23 10:00:00.123")";

#define CHECK_CALLS(...)                                                               \
    do {                                                                               \
        std::vector<std::string> const expected_calls __VA_ARGS__;                     \
        BOOST_TEST(journal.calls == expected_calls, boost::test_tools::per_element()); \
    } while (false)

inline std::string objects(std::initializer_list<std::string> members) {
    std::string list;
    for (auto const& one : members)
        list += (list.empty() ? "{" : ",{") + one + "}";
    return "[" + list + "]";
}

}  // namespace engram::test
