#include "claude/failure.hpp"

#include "claude/retry.hpp"
#include "http/text.hpp"

#include <boost/json/parse.hpp>

namespace engram::claude {
namespace {

namespace json = boost::json;

// `{"type":"error","error":{"type":…,"message":…,"details":{"error_code":…}},"request_id":…}`; the 413 of the
// edge lacks the outer type and the request id.
struct api_error {
    bool present = false;
    std::string type;
    std::string message;
    std::string code;
    std::string request_id;
};

std::string string_at(json::object const& object, std::string_view key) {
    auto const* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

api_error read_api_error(http::reply const& reply) {
    api_error found;
    json::error_code ec;
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    auto const document = json::parse(reply.body, ec, {}, options);
    if (ec || !document.is_object()) return found;
    found.request_id = string_at(document.get_object(), "request_id");
    auto const* inner = document.get_object().if_contains("error");
    if (!inner || !inner->is_object()) return found;
    auto const& error = inner->get_object();
    found.type = string_at(error, "type");
    found.message = string_at(error, "message");
    found.present = !found.type.empty();
    auto const* details = error.if_contains("details");
    if (details && details->is_object()) found.code = string_at(details->get_object(), "error_code");
    return found;
}

bool is_spend_limit(int status, api_error const& error) {
    // enforced_spend_limit_reached, contract_spend_limit_reached
    if (status == 402 || error.code.ends_with("spend_limit_reached")) return true;
    return status == 400 && error.message.starts_with("Your credit balance is too low");
}

error_kind kind_of(int status, api_error const& error) {
    if (is_spend_limit(status, error)) return error_kind::spend_limit;
    if (status == 401 || (status == 403 && error.present)) return error_kind::auth;
    // With a status below 500 the request would be retried only because of this.
    if (is_retryable(status, {})) return error_kind::unavailable;
    return status == 200 ? error_kind::unavailable : error_kind::rejected;
}

std::string describe(http::reply const& reply, api_error const& error) {
    std::string text = "the Messages API answered " + std::to_string(reply.status);
    if (error.present) {
        text += ' ' + http::quote(error.type) + ": " + http::quote(error.message);
        if (!error.code.empty()) text += " [" + http::quote(error.code) + ']';
    } else if (!reply.content_encoding.empty() && reply.content_encoding != "identity") {
        text += " with a compressed body";
    } else if (!reply.body.empty()) {
        text += ": " + http::quote(reply.body);
    }
    auto const& id = reply.request_id.empty() ? error.request_id : reply.request_id;
    if (!id.empty()) text += " (request " + http::quote(id) + ')';
    if (reply.status / 100 == 3)
        text += "; redirects are not followed: set the address that it should have been";
    return text;
}

}  // namespace

failure classify(http::reply const& reply, base::wall_time now) {
    auto const error = read_api_error(reply);
    failure found;
    found.status = reply.status;
    found.kind = kind_of(reply.status, error);
    found.message = describe(reply, error);
    found.retryable = found.kind != error_kind::spend_limit && is_retryable(reply.status, reply.should_retry);
    found.wait = server_delay(reply.retry_after_ms, reply.retry_after, now);
    return found;
}

}  // namespace engram::claude
