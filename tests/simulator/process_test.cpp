// The simulator from outside: a process, sockets, signals.
#include "simulator_process.hpp"

#include <boost/json/value.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace {

using namespace engram::simulator;
namespace data = boost::unit_test::data;

/// One simulator for the cases that need no arguments; each begins with a reset.
struct shared_simulator {
    shared_simulator() { BOOST_REQUIRE(control.post("/control/reset", "").status == 200); }

    static simulator_process& process() {
        static simulator_process p;
        return p;
    }
    void script(std::string const& steps) {
        auto const answer = control.post("/control/script", steps);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    }
    int stat(std::string const& name) {
        return control.get("/control/stats").json().at(name).to_number<int>();
    }

    http_client control{process().port()};
    http_client client{process().port()};
};

std::string text_of(http_answer const& a) {
    return std::string(a.json().at("content").at(0).at("text").as_string());
}

std::string ask_of(std::string const& model, int max_tokens = 2048) {
    return R"({"model":")" + model + R"(","max_tokens":)" + std::to_string(max_tokens) +
           R"(,"messages":[{"role":"user","content":"hi"}]})";
}

http_answer describe(http_client& client, std::string const& model) {
    client.send("GET /v1/models/" + model +
                " HTTP/1.1\r\nhost: a\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\n\r\n");
    return client.read();
}

BOOST_FIXTURE_TEST_SUITE(one_simulator, shared_simulator)

BOOST_AUTO_TEST_CASE(answers_come_over_one_connection_one_after_the_other) {
    for (int i = 0; i < 50; ++i)
        BOOST_REQUIRE(client.ask(simple_ask("hi")).status == 200);
    BOOST_TEST(stat("messages") == 50);
    BOOST_TEST(control.get("/control/stats").json().at("by_status").at("200").to_number<int>() == 50);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    script(R"([{"text":"one"},{"text":"two"},{"text":"three"}])");
    for (int i = 0; i < 3; ++i)
        client.send_ask(simple_ask("hi"));
    for (auto const* expected : {"one", "two", "three"})
        BOOST_TEST(text_of(client.read()) == expected);
}

BOOST_AUTO_TEST_CASE(a_request_may_arrive_byte_by_byte) {
    auto const bytes =
        ask_bytes(simple_ask("slow"), "authorization: Bearer k\r\nanthropic-version: 2026-10-21\r\n");
    for (char c : bytes)
        client.send(std::string(1, c));
    BOOST_TEST(client.read().status == 200);
}

struct door {
    std::string headers;
    int status;
    std::string piece;
};
std::ostream& operator<<(std::ostream& out, door const& d) {
    return out << d.headers;
}
door const doors[] = {
    {"x-api-key: k\r\nanthropic-version: 2023-06-01\r\n", 200, ""},
    {"authorization: Bearer k\r\nanthropic-version: 2023-06-01\r\n", 200, ""},
    {"authorization: bearer k\r\nanthropic-version: 2026-10-21\r\n", 200, ""},
    {"anthropic-version: 2023-06-01\r\n", 401, "authentication_error"},
    {"x-api-key:\r\nanthropic-version: 2023-06-01\r\n", 401, "authentication_error"},
    {"x-api-key: k\r\nauthorization: Bearer k\r\nanthropic-version: 2023-06-01\r\n", 401, "exactly one"},
    {"authorization: Basic k\r\nanthropic-version: 2023-06-01\r\n", 401, "bearer"},
    {"x-api-key: k\r\n", 400, "anthropic-version: header is required"},
    {"x-api-key: k\r\nanthropic-version: 2020-01-01\r\n", 400, "not a valid version"},
    {"x-api-key: k\r\nanthropic-version: 2023-06-01\r\ncontent-encoding: gzip\r\n", 400,
     "request_body_encoding"},
};

BOOST_DATA_TEST_CASE(the_door_is_as_strict_as_the_real_one, data::make(doors), d) {
    client.send(ask_bytes(simple_ask("hi"), d.headers));
    auto const answer = client.read();
    BOOST_TEST(answer.status == d.status);
    BOOST_TEST(answer.body.find(d.piece) != std::string::npos, answer.body);
    BOOST_TEST(answer.headers.find("\r\nrequest-id: req_") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_a_400_and_what_is_no_http_ends_the_connection) {
    for (std::string body : {"", "{", "nonsense", "\xFF\xFE", "[1]"}) {
        auto const answer = client.ask(body);
        BOOST_TEST(answer.status == 400);
        BOOST_TEST(answer.json().at("error").at("type").as_string() == "invalid_request_error");
    }
    BOOST_TEST(client.ask(std::string(200'000, '[')).status == 400);
    http_client stranger(process().port());
    stranger.send("\x16\x03\x01 hello\r\n\r\n");
    BOOST_TEST(stranger.read().status == 400);
    BOOST_TEST(stranger.read().error == "end of file");
    BOOST_TEST(client.ask(simple_ask("still there")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_body_beyond_32_megabytes_is_a_413_in_the_shape_of_the_proxy) {
    client.send("POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: k\r\ncontent-length: 40000000\r\n\r\n");
    auto const answer = client.read();
    BOOST_TEST(answer.status == 413);
    BOOST_TEST(answer.body ==
               R"({"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}})");
}

BOOST_AUTO_TEST_CASE(other_paths_and_methods_are_refused) {
    BOOST_TEST(client.get("/v1/nothing").status == 404);
    BOOST_TEST(client.get("/v1/messages").status == 405);
    BOOST_TEST(client.get("/v1/models/claude-nobody").status == 404);
    BOOST_TEST(client.get("/v1/models").json().at("data").as_array().size() > 10U);
    BOOST_TEST(client.get("/control/nothing").status == 404);
}

BOOST_AUTO_TEST_CASE(a_stream_ends_with_message_stop) {
    auto const answer = client.ask(simple_ask("hi", true));
    BOOST_TEST(answer.headers.find("content-type: text/event-stream") != std::string::npos);
    BOOST_TEST(answer.body.starts_with("event: message_start\ndata: {"));
    BOOST_TEST(answer.body.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

BOOST_AUTO_TEST_CASE(a_stream_keeps_its_pace) {
    script(R"({"text":"twenty letters there","tokens_per_second":50})");  // five tokens: 100 ms
    auto const begin = std::chrono::steady_clock::now();
    BOOST_TEST(client.ask(simple_ask("hi", true)).status == 200);
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(100)));
}

BOOST_AUTO_TEST_CASE(connections_are_reset_where_the_script_says) {
    for (auto const* at : {"before_reading", "before_reply", "after_headers", "mid_body"}) {
        script(R"({"fault":"reset","at":")" + std::string(at) + "\"}");
        http_client c(process().port());
        auto const answer = c.ask(simple_ask("hi"));
        BOOST_TEST(answer.status == 0);
        BOOST_TEST(answer.reset(), at << ": " << answer.error);
    }
    BOOST_TEST(stat("resets") == 4);
    BOOST_TEST(stat("messages") == 4);
}

BOOST_AUTO_TEST_CASE(connections_are_closed_where_the_script_says) {
    for (auto const* at : {"before_reading", "before_reply", "after_headers", "mid_body"}) {
        script(R"({"fault":"close","at":")" + std::string(at) + "\"}");
        http_client c(process().port());
        auto const answer = c.ask(simple_ask("hi"));
        BOOST_TEST(answer.status == 0);
        BOOST_TEST(answer.error == "end of file", at << ": " << answer.error);
    }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_reset_after_its_answer) {
    script(R"({"fault":"reset","at":"idle","ms":0})");
    BOOST_TEST(client.ask(simple_ask("hi")).status == 200);
    BOOST_TEST(client.read().reset());
}

BOOST_AUTO_TEST_CASE(a_kept_connection_can_die_under_the_next_request) {
    script(R"({"fault":"reset","at":"next_request"})");
    BOOST_TEST(client.ask(simple_ask("hi")).status == 200);
    BOOST_TEST(client.ask(simple_ask("again")).reset());
    // The second one was never read.
    BOOST_TEST(stat("messages") == 1);
}

BOOST_AUTO_TEST_CASE(truncated_and_cut_answers_end_early) {
    script(R"([{"fault":"truncated"},{"fault":"cut_stream"},{"fault":"garbage_http"}])");
    for (bool stream : {false, true, false}) {
        http_client c(process().port());
        auto const answer = c.ask(simple_ask("hi", stream));
        BOOST_TEST(answer.status == 0);
        BOOST_TEST(answer.error == "end of file");
    }
}

BOOST_AUTO_TEST_CASE(a_stall_ends_when_the_client_goes) {
    script(R"({"fault":"stall","at":"after_headers"})");
    {
        http_client c(process().port());
        c.send_ask(simple_ask("hi"));
        BOOST_REQUIRE(control.get("/control/wait?count=1&timeout_ms=60000").json().at("reached").as_bool());
        BOOST_TEST(stat("in_flight") == 1);
    }
    while (stat("in_flight") != 0)
        std::this_thread::yield();  // the test's time limit ends this if it must
    BOOST_TEST(stat("max_in_flight") == 1);
}

BOOST_AUTO_TEST_CASE(statuses_come_with_their_bodies_and_headers) {
    script(
        R"([{"fault":"overloaded"},{"fault":"rate_limit","retry_after":2,"should_retry":true},{"fault":"spend_limit"},
               {"fault":"low_credit"},{"status":413},{"status":502},{"status":418,"body":{"tea":true}}])");
    auto answer = client.ask(simple_ask("hi"));
    BOOST_TEST(answer.status == 529);
    BOOST_TEST(answer.headers.find("retry-after") == std::string::npos);
    answer = client.ask(simple_ask("hi"));
    BOOST_TEST(answer.status == 429);
    BOOST_TEST(answer.headers.find("\r\nretry-after: 2\r\n") != std::string::npos);
    BOOST_TEST(answer.headers.find("\r\nx-should-retry: true\r\n") != std::string::npos);
    answer = client.ask(simple_ask("hi"));
    BOOST_TEST(answer.status == 429);
    BOOST_TEST(answer.json().at("error").at("details").at("error_code").as_string() ==
               "enforced_spend_limit_reached");
    answer = client.ask(simple_ask("hi"));
    BOOST_TEST(answer.status == 400);
    BOOST_TEST(answer.body.find("Your credit balance is too low") != std::string::npos);
    BOOST_TEST(!client.ask(simple_ask("hi")).json().as_object().contains("type"));
    BOOST_TEST(client.ask(simple_ask("hi")).headers.find("text/html") != std::string::npos);
    BOOST_TEST(client.ask(simple_ask("hi")).body == R"({"tea":true})");
}

BOOST_AUTO_TEST_CASE(odd_contents_come_as_asked) {
    script(R"([{"text":"a","fault":"thinking_first"},{"fault":"empty_content"},{"fault":"refusal"},
               {"text":"abcd","fault":"max_tokens"},{"text":"a","fault":"unknown_block"},{"text":"a","fault":"null_usage"},
               {"text":"a","fault":"invalid_utf8"},{"fault":"huge_body","bytes":3000000}])");
    BOOST_TEST(client.ask(simple_ask("hi")).json().at("content").at(0).at("type").as_string() == "thinking");
    BOOST_TEST(client.ask(simple_ask("hi")).json().at("content").as_array().empty());
    BOOST_TEST(client.ask(simple_ask("hi")).json().at("stop_reason").as_string() == "refusal");
    auto const cut = client.ask(simple_ask("hi"));
    BOOST_TEST(cut.json().at("stop_reason").as_string() == "max_tokens");
    BOOST_TEST(text_of(cut) == "ab");
    BOOST_TEST(client.ask(simple_ask("hi")).json().at("content").as_array().size() == 3U);
    BOOST_TEST(client.ask(simple_ask("hi")).json().at("usage").is_null());
    BOOST_TEST(client.ask(simple_ask("hi")).body.find('\xFF') != std::string::npos);
    BOOST_TEST(client.ask(simple_ask("hi")).body.size() > 3'000'000U);
}

BOOST_AUTO_TEST_CASE(models_can_go_and_come_back) {
    BOOST_TEST(describe(client, "claude-opus-4-5").status == 200);
    BOOST_REQUIRE(control.post("/control/models", R"({"gone":["claude-opus-4-5"]})").status == 200);
    for (std::string const name : {"claude-opus-4-5", "claude-opus-4-5-20251101"}) {
        auto const refused = client.ask(ask_of(name));
        BOOST_TEST(refused.status == 404);
        BOOST_TEST(refused.json().at("error").at("type").as_string() == "not_found_error");
        BOOST_TEST(refused.json().at("error").at("message").as_string() == "model: " + name);
        BOOST_TEST(describe(client, name).status == 404);
    }
    BOOST_TEST(client.ask(ask_of("claude-opus-5-5")).status == 200);
    BOOST_REQUIRE(control.post("/control/models", R"({"gone":[]})").status == 200);
    BOOST_TEST(client.ask(ask_of("claude-opus-4-5")).status == 200);
    BOOST_TEST(stat("messages") == 4);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_model_can_be_told) {
    auto const before = describe(client, "claude-opus-4-5").json();
    BOOST_TEST(before.at("lifecycle").as_string() == "active");
    BOOST_TEST(before.at("retires_at").is_null());
    BOOST_TEST(before.at("max_input_tokens").as_int64() == 200'000);
    BOOST_REQUIRE(
        control.post("/control/models", R"({"retires":{"claude-opus-4-5":"2027-01-22T00:00:00Z"}})").status ==
        200);
    auto const after = describe(client, "claude-opus-4-5").json();
    BOOST_TEST(after.at("lifecycle").as_string() == "deprecated");
    BOOST_TEST(after.at("deprecated_at").is_string());
    BOOST_TEST(after.at("retires_at").as_string() == "2027-01-22T00:00:00Z");
    BOOST_TEST(client.ask(ask_of("claude-opus-4-5")).status == 200);
    for (auto const* wrong :
         {"", "[]", R"({"gone":"a"})", R"({"gone":[1]})", R"({"retires":{"a":1}})", R"({"x":1})"})
        BOOST_TEST(control.post("/control/models", wrong).status == 400, wrong);
    BOOST_REQUIRE(control.post("/control/reset", "").status == 200);
    BOOST_TEST(describe(client, "claude-opus-4-5").json().at("retires_at").is_null());
}

BOOST_AUTO_TEST_CASE(thinking_is_spent_before_the_text) {
    auto const usual = client.ask(ask_of("claude-opus-5-5")).json();
    BOOST_TEST(usual.at("content").as_array().size() == 2U);
    BOOST_TEST(usual.at("content").at(0).at("type").as_string() == "thinking");
    BOOST_TEST(usual.at("usage").at("output_tokens_details").at("thinking_tokens").as_int64() == 32);
    BOOST_TEST(usual.at("usage").at("output_tokens").as_int64() > 32);
    auto const nothing_left = client.ask(ask_of("claude-opus-5-5", 32)).json();
    BOOST_TEST(nothing_left.at("content").as_array().size() == 1U);
    BOOST_TEST(nothing_left.at("content").at(0).at("type").as_string() == "thinking");
    BOOST_TEST(nothing_left.at("stop_reason").as_string() == "max_tokens");
    BOOST_TEST(nothing_left.at("usage").at("output_tokens").as_int64() == 32);
    // A little is left for the text.
    auto const cut = client.ask(ask_of("claude-opus-5-5", 33)).json();
    BOOST_TEST(cut.at("content").as_array().size() == 2U);
    BOOST_TEST(cut.at("content").at(1).at("text").as_string().size() <= 4U);
    BOOST_TEST(cut.at("usage").at("output_tokens").as_int64() == 33);
    BOOST_TEST(text_of(client.ask(ask_of("claude-opus-4-5", 32))) != "");
    script(R"({"text":"said","thinking_tokens":5000})");
    BOOST_TEST(client.ask(ask_of("claude-opus-4-5")).json().at("content").as_array().empty());
}

BOOST_AUTO_TEST_CASE(held_answers_are_released_one_by_one_or_all_together) {
    script(R"({"text":"now","hold":"gate","repeat":3})");
    http_client second(process().port()), third(process().port());
    for (auto* c : {&client, &second, &third})
        c->send_ask(simple_ask("hi"));
    BOOST_REQUIRE(control.get("/control/wait?count=3&timeout_ms=60000").json().at("reached").as_bool());
    BOOST_TEST(stat("held") == 3);
    BOOST_TEST(control.post("/control/release/other", "").body == R"({"released":0})");
    BOOST_TEST(control.post("/control/release/gate?count=1", "").body == R"({"released":1})");
    BOOST_TEST(control.post("/control/release/gate", "").body == R"({"released":2})");
    for (auto* c : {&client, &second, &third})
        BOOST_TEST(text_of(c->read()) == "now");
}

BOOST_AUTO_TEST_CASE(waiting_for_requests_ends_with_its_time) {
    auto const answer = control.get("/control/wait?count=1&timeout_ms=1");
    BOOST_TEST(answer.body == R"({"count":0,"reached":false})");
}

BOOST_AUTO_TEST_CASE(the_requests_can_be_read_back_without_their_keys) {
    static_cast<void>(client.ask(simple_ask("one")));
    static_cast<void>(client.ask(simple_ask("two")));
    auto const seen = control.get("/control/requests?since=1");
    auto const json = seen.json();
    auto const& requests = json.at("requests").as_array();
    BOOST_REQUIRE(requests.size() == 1U);
    BOOST_TEST(requests[0].at("number").to_number<int>() == 2);
    BOOST_TEST(requests[0].at("body").at("messages").at(0).at("content").as_string() == "two");
    BOOST_TEST(requests[0].at("headers").at("x-api-key").as_string() == "...ters");
    BOOST_TEST(seen.body.find("a-key-of") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_wrong_script_changes_nothing) {
    for (std::string wrong : {"", "{", "[{\"txt\":1}]", "[{\"text\":\"a\"},5]"})
        BOOST_TEST(control.post("/control/script", wrong).status == 400);
    BOOST_TEST(stat("steps_left") == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_expects_continue_is_told_to) {
    auto const body = simple_ask("hi");
    client.send(
        "POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\nexpect: "
        "100-continue\r\n"
        "content-length: " +
        std::to_string(body.size()) + "\r\n\r\n");
    BOOST_TEST(client.read().status == 100);
    client.send(body);
    BOOST_TEST(client.read().status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(only_the_given_keys_are_accepted) {
    simulator_process p({"--api-key", "good", "--api-key", "better"});
    http_client c(p.port());
    auto const status = [&](std::string const& key) {
        c.send(ask_bytes(simple_ask("hi"), key + "\r\nanthropic-version: 2023-06-01\r\n"));
        return c.read().status;
    };
    BOOST_TEST(status("x-api-key: good") == 200);
    BOOST_TEST(status("authorization: Bearer better") == 200);
    BOOST_TEST(status("x-api-key: bad") == 401);
    BOOST_TEST(status("x-api-key: goo") == 401);
}

BOOST_AUTO_TEST_CASE(models_are_as_the_command_line_says) {
    simulator_process p({"--gone", "claude-opus-4-5", "--context", "50", "--thinking-tokens", "9"});
    http_client client(p.port()), control(p.port());
    BOOST_TEST(client.ask(ask_of("claude-opus-4-5")).status == 404);
    auto const thought = client.ask(ask_of("claude-opus-5-5"));
    BOOST_TEST(thought.json().at("usage").at("output_tokens_details").at("thinking_tokens").as_int64() == 9);
    auto const refused = client.ask(simple_ask(std::string(400, 'x')).replace(10, 15, "claude-opus-4-6"));
    BOOST_TEST(refused.status == 400);
    BOOST_TEST(refused.body.find("prompt is too long: 10") != std::string::npos);
    BOOST_TEST(refused.body.find(" tokens > 50 maximum") != std::string::npos);
    BOOST_REQUIRE(control.post("/control/reset", "").status == 200);
    BOOST_TEST(client.ask(ask_of("claude-opus-4-5")).status == 404);
}

BOOST_AUTO_TEST_CASE(requests_over_the_limit_are_told_of_it_and_when_to_come_again) {
    auto const ask_until_refused = [](std::vector<std::string> const& options) {
        simulator_process p(options);
        http_client client(p.port());
        int taken = 0;
        for (;; ++taken) {
            auto answer = client.ask(ask_of("claude-opus-5-5"));
            if (answer.status != 200 || taken > 20) return std::pair(taken, std::move(answer));
        }
    };
    auto const [taken, refused] = ask_until_refused({"--rpm", "60", "--burst", "4"});
    BOOST_TEST(taken >= 4);
    BOOST_TEST(taken < 20);  // one a second comes meanwhile
    BOOST_TEST(refused.status == 429);
    BOOST_TEST(refused.json().at("error").at("type").as_string() == "rate_limit_error");
    for (std::string const line : {"retry-after: 1", "anthropic-ratelimit-requests-limit: 60",
                                   "anthropic-ratelimit-requests-remaining: 0"})
        BOOST_TEST(refused.headers.find("\r\n" + line + "\r\n") != std::string::npos, line);
    auto const untold = ask_until_refused({"--rpm", "60", "--burst", "4", "--no-rate-limit-headers"}).second;
    BOOST_TEST(untold.status == 429);
    BOOST_TEST(untold.headers.find("\r\nretry-after: 1\r\n") != std::string::npos);
    BOOST_TEST(untold.headers.find("ratelimit") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(many_answers_wait_at_the_same_time) {
    simulator_process p({"--latency-ms", "300"});
    constexpr int count = 400;
    std::vector<std::unique_ptr<http_client>> clients;
    for (int i = 0; i < count; ++i)
        clients.push_back(std::make_unique<http_client>(p.port()));
    for (auto& c : clients)
        c->send_ask(simple_ask("hi"));
    for (auto& c : clients)
        BOOST_REQUIRE(c->read().status == 200);
    http_client control(p.port());
    BOOST_TEST(control.get("/control/stats").json().at("max_in_flight").to_number<int>() > count / 4);
}

BOOST_AUTO_TEST_CASE(the_port_file_holds_the_port_and_both_signals_end_it_with_zero) {
    for (int const number : {SIGTERM, SIGINT}) {
        engram::test::temporary_folder folder;
        auto const file = folder.path() / "port";
        simulator_process p({"--port-file", file.string()});
        std::ifstream in(file);
        int port = 0;
        in >> port;
        BOOST_TEST(port == p.port());
        http_client held(p.port()), idle(p.port());
        BOOST_REQUIRE(held.post("/control/script", R"({"hold":"for ever"})").status == 200);
        held.send_ask(simple_ask("hi"));
        BOOST_REQUIRE(idle.get("/control/wait?count=1&timeout_ms=60000").json().at("reached").as_bool());
        p.signal(number);
        BOOST_TEST(p.wait() == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_command_line_ends_with_64_and_a_port_in_use_with_1) {
    for (std::vector<std::string> const& wrong :
         std::vector<std::vector<std::string>>{{"--listen", "nowhere"},
                                               {"--fault", "sneeze:1"},
                                               {"--latency-ms", "soon"},
                                               {"--tls-cert", "a"},
                                               {"--what"}}) {
        std::vector<std::string> arguments{CLAUDE_SIMULATOR};
        arguments.insert(arguments.end(), wrong.begin(), wrong.end());
        engram::test::child_process child(arguments);
        BOOST_TEST(child.wait() == 64, wrong[0]);
    }
    simulator_process p;
    engram::test::child_process second(
        {CLAUDE_SIMULATOR, "--listen", "127.0.0.1:" + std::to_string(p.port())});
    BOOST_TEST(second.wait() == 1);
}

BOOST_AUTO_TEST_CASE(https_is_served_with_a_certificate) {
    engram::test::temporary_folder folder;
    auto const key = (folder.path() / "key.pem").string();
    auto const cert = (folder.path() / "cert.pem").string();
    engram::test::child_process make({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                                      key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"});
    BOOST_REQUIRE(make.wait() == 0);
    simulator_process p({"--tls-cert", cert, "--tls-key", key});
    engram::test::child_process client({"openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile",
                                        cert, "-connect", "127.0.0.1:" + std::to_string(p.port())});
    client.write_input("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.wait_for_line("200 OK");
    http_client plain(p.port());
    BOOST_TEST(plain.get("/").status == 0);
}

}  // namespace
