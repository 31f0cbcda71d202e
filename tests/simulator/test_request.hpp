// For the unit tests: a checked request out of JSON text.
#pragma once

#include "messages_request.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <stdexcept>
#include <string>

namespace engram::simulator {

/// Keeps the JSON that the request looks into.
struct test_request {
    explicit test_request(std::string const& text, api_version version = api_version::v2023_06_01,
                          endpoint to = endpoint::messages)
        : json(boost::json::parse(text)), problem(read_messages_request(json, to, version, request)) {}
    test_request(test_request const&) = delete;
    test_request& operator=(test_request const&) = delete;

    [[nodiscard]] std::string message() const { return problem ? problem->message : ""; }
    [[nodiscard]] int status() const { return problem ? problem->status : 200; }
    [[nodiscard]] messages_request const& good() const {
        if (problem) throw std::runtime_error("the request was refused: " + problem->message);
        return request;
    }

    boost::json::value json;
    messages_request request;
    std::optional<api_error> problem;
};

/// A request for `model` with further members, as `,"top_k":1`.
inline std::string simple_request(std::string const& model, std::string const& more = "") {
    return R"({"model":")" + model + R"(","max_tokens":2048,"messages":[{"role":"user","content":"hi"}])" +
           more + '}';
}

/// A chat turn with this system text and these messages: JSON strings and arrays without their quotes
/// escaped.
inline std::string chat_request(std::string const& system, std::string const& messages) {
    boost::json::object o{
        {"model", "claude-opus-4-5"}, {"max_tokens", 1024}, {"messages", boost::json::parse(messages)}};
    if (!system.empty()) o["system"] = system;
    return boost::json::serialize(o);
}

}  // namespace engram::simulator
