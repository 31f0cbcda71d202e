#include "claude/failure.hpp"

#include "claude/retry.hpp"
#include "claude/wording.hpp"
#include "http/text.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace engram::claude {
namespace {

namespace json = boost::json;

constexpr std::size_t most_looked_at = 512;  // bytes of a message
constexpr std::size_t most_in_name = 60;

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

// What people read, in lower case: a text may come in other letters from one release to the next.
std::string folded(std::string_view text) {
    std::string out(text.substr(0, most_looked_at));
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return out;
}

bool begins(std::string_view text, std::initializer_list<std::string_view> beginnings) {
    return std::ranges::any_of(beginnings, [&](std::string_view b) { return text.starts_with(b); });
}

bool holds(std::string_view text, std::initializer_list<std::string_view> pieces) {
    return std::ranges::any_of(pieces, [&](std::string_view p) { return text.find(p) != text.npos; });
}

bool names_a_limit_of_money(std::string_view text) {
    return holds(text, {"credit balance", "usage limit", "spend limit", "spending limit"});
}

// `text` is folded. Beginnings as the API words them, with and without "specified"; "You have reached your
// rate limit" is another thing. Where no text of a user is repeated (all but 400), the words may be anywhere.
bool tells_of_money(int status, std::string_view text) {
    if (begins(text, {"your credit balance", "you have reached your specified"})) return true;
    bool const limit = names_a_limit_of_money(text) && !holds(text, {"rate limit", "per minute"});
    if (!limit) return false;
    return status != 400 || begins(text, {"you have reached your", "your organization has reached its",
                                          "your workspace has reached its", "your account has reached"});
}

bool is_spend_limit(int status, api_error const& error, std::string_view text) {
    // enforced_…, contract_…, linked_organization_spend_limit_reached; …_billing_unavailable; …credit…
    if (error.code.ends_with("spend_limit_reached") || error.code.ends_with("billing_unavailable") ||
        holds(error.code, {"credit"}))
        return true;
    if (status == 402 || error.type == "billing_error") return true;
    return (status == 400 || status == 403 || status == 429) && tells_of_money(status, text);
}

bool is_on_hold(int status, api_error const& error, std::string_view text) {
    if (status >= 500) return false;  // 503 with cmek_*: the key is out of reach for the moment
    if (error.code == "organization_on_hold" || error.code == "organization_disabled" ||
        error.code == "cmek_key_disabled")
        return true;
    return (status == 400 || status == 403) &&
           begins(text,
                  {"this organization has been disabled", "your organization has been disabled",
                   "your organization is on hold", "this organization is on hold", "your account has been"});
}

// Whether a status that the API gives with a body of its own came without one: from a proxy, a firewall, the
// network edge, or because the address is wrong.
bool is_no_api(int status, api_error const& error) {
    if (status / 100 == 3) return true;
    static constexpr int statuses[] = {403, 404, 405, 407, 410, 421, 451};
    return !error.present && std::ranges::find(statuses, status) != std::end(statuses);
}

// The texts are those of the API, its older models, and of the endpoints that speak its language.
bool is_too_long(int status, api_error const& error, std::string_view text) {
    return status == 400 && (error.type == "exceed_context_size_error" ||
                             begins(text, {"prompt is too long", "input is too long",
                                           "input length and `max_tokens` exceed context limit"}));
}

error_kind kind_of(http::reply const& reply, api_error const& error) {
    int const status = reply.status;
    auto const text = folded(error.message);
    if (is_spend_limit(status, error, text)) return error_kind::spend_limit;
    if (is_on_hold(status, error, text)) return error_kind::on_hold;
    if (status == 401 || (status == 403 && error.present)) return error_kind::auth;
    // `not_found_error`; endpoints that speak the API's language have other names for it.
    if (status == 404 && error.present) return error_kind::model_gone;
    if (is_no_api(status, error)) return error_kind::no_api;
    if (is_too_long(status, error, text)) return error_kind::too_long;
    // What x-should-retry forbids is unavailable all the same, and does not pass.
    bool const passes = is_retryable(status, reply.should_retry) || is_retryable(status, {});
    return passes ? error_kind::unavailable : error_kind::rejected;
}

// A name that the API made: no text of anybody's.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= most_in_name && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string code_of(api_error const& error) {
    if (!is_name(error.type)) return {};
    return is_name(error.code) ? error.type + '/' + error.code : error.type;
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
    found.kind = kind_of(reply, error);
    found.message = describe(reply, error);
    found.code = code_of(error);
    found.wording = known_wording(error.message);
    found.passes = found.kind == error_kind::unavailable && is_retryable(reply.status, reply.should_retry);
    if (found.kind == error_kind::unavailable)
        found.wait = server_delay(reply.retry_after_ms, reply.retry_after, now);
    return found;
}

failure no_answer(http::io_outcome const& outcome, std::string_view authority) {
    failure why;
    bool const lacks = outcome.end == http::io_end::lacking;
    why.message = "the Messages API at " + std::string(authority) +
                  (lacks ? " could not be asked: " : " gave no answer: ") + outcome.what;
    why.passes = true;
    why.code = lacks                                    ? "local_lack"
               : !outcome.connected                     ? "no_connection"
               : outcome.end == http::io_end::timed_out ? "timed_out"
                                                        : "cut";
    return why;
}

failure unreadable_answer(http::reply const& reply, std::string_view why) {
    failure found;
    found.status = reply.status;
    found.passes = true;
    found.code = "unreadable";
    found.message = "the answer of the Messages API " + std::string(why);
    if (!reply.request_id.empty()) found.message += " (request " + http::quote(reply.request_id) + ')';
    return found;
}

failure past_deadline(std::string what) {
    failure why;
    why.kind = error_kind::deadline;
    why.message = std::move(what);
    return why;
}

failure no_turn() {
    failure why;
    why.kind = error_kind::busy;
    why.message = "the Messages API takes no more calls for the moment";
    return why;
}

}  // namespace engram::claude
