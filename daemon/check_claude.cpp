#include "daemon/check_claude.hpp"

#include "claude/client.hpp"
#include "claude/outgoing.hpp"
#include "claude/retry.hpp"
#include "http/client/endpoint.hpp"

#include <boost/asio/this_coro.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace engram::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

using enum finding::grade;
using claude::error_kind;

constexpr std::array<std::string_view, 1> date_header{"date"};

std::string ends_on(base::wall_time when) {
    return base::to_utc_text(when).substr(0, 10);
}

finding judge_end(used_model const& one, base::wall_time end, base::wall_time now) {
    auto const what = "the model " + one.model + " (" + one.key + ") ";
    if (end <= now) return {warning, what + "was to end on " + ends_on(end), cure_of(one)};
    if (end - now <= soon) return {warning, what + "ends on " + ends_on(end), cure_of(one)};
    return {ok, what + "stays until " + ends_on(end) + " at least"};
}

// The endpoint has no such page, as those that speak the API's language often have not.
bool tells_nothing(claude::error const& why) {
    return why.status == 404 || why.status == 405 || why.status == 501;
}

finding judge_silence(claude::error const& why) {
    bool const lasts = why.message.find("certificate") != std::string::npos;
    return {failure, why.message,
            lasts ? "name the authority's certificate in claude.ca_file, and set this machine's clock right"
                  : "mend claude.base_url, the network or the firewall; a proxy is not used",
            !lasts};
}

}  // namespace

bool concerns_all_models(claude::error const& why) {
    return why.status == 0 || (why.kind != error_kind::model_gone && !tells_nothing(why));
}

finding judge_model(used_model const& one, claude::result<claude::model_info> const& told, bool is_needed,
                    base::wall_time now) {
    auto const what = "the model " + one.model + " (" + one.key + ") ";
    if (told) {
        if (told->retires_at) return judge_end(one, *told->retires_at, now);
        return {ok, what + "is there, no end is known"};
    }
    auto const& why = told.error();
    if (says_gone(why, one.model))
        return {is_needed ? failure : warning, what + "is gone or unknown", cure_of(one)};
    if (why.status == 0) return judge_silence(why);
    auto const said = claude::loggable(why);
    switch (why.kind) {
        case error_kind::auth:
            return {failure, "Claude does not take the API key (" + said + ')',
                    "write a valid key (docs/operations.md), restart"};
        case error_kind::spend_limit:
            return {failure, "Claude answers nothing for want of money (" + said + ')',
                    "add credit, or raise the limit, in the provider's console"};
        case error_kind::on_hold:
            return {failure, "the organization of the API key is on hold (" + said + ')', "ask the provider"};
        default:
            break;
    }
    if (tells_nothing(why))
        return {note, what + "was not looked at: this endpoint does not tell of models (" + said + ')'};
    if (why.kind == error_kind::no_api)
        return {failure, "something else answers in the place of the Messages API (" + said + ')',
                "mend claude.base_url, proxies, the firewall"};
    return {failure, "the Messages API answers with an error (" + said + ')',
            "wait, and look at its status page", why.passes};
}

namespace {

// What time it is at the server; none: it does not tell.
asio::awaitable<std::optional<base::wall_time>> time_at(claude::options const& options) {
    http::endpoint_limits limits;
    limits.connect_timeout = options.connect_timeout;
    limits.more_headers = date_header;
    auto const executor = co_await asio::this_coro::executor;
    auto const url = http::parse_base_url(options.base_url);
    http::endpoint endpoint(url, options.ca_file, limits, executor);
    auto const wire = claude::compose_head("GET", "/v1/models", url, options, options.api_key) + "0\r\n\r\n";
    std::unique_ptr<http::reply> reply;
    auto const outcome = co_await endpoint.exchange(wire, reply, steady_clock::now() + check_patience);
    if (!outcome.ok() || reply->more.empty()) co_return std::nullopt;
    co_return claude::parse_http_date(reply->more[0]);
}

}  // namespace

asio::awaitable<findings> check_claude(config const& config, base::secret key) {
    auto options = config.claude;
    options.api_key = std::move(key);
    auto const executor = co_await asio::this_coro::executor;
    auto const client = claude::make_client(options, executor);
    findings found;
    std::size_t chat_models = 1 + options.fallback_models.size();  // that may be there
    for (auto const& one : each_once(models_in_use(config))) {
        auto const told = co_await client->describe_model(one.model, steady_clock::now() + check_patience);
        bool const gone = !told && says_gone(told.error(), one.model);
        if (gone && one.key.starts_with("claude.")) --chat_models;
        found.push_back(judge_model(one, told, chat_models == 0, system_clock::now()));
        if (!told && !gone && concerns_all_models(told.error())) co_return found;
    }
    client->close();
    auto const there = co_await time_at(options);
    // It tells whole seconds.
    if (there)
        found.push_back(judge_clock("the Messages API", std::chrono::duration_cast<std::chrono::milliseconds>(
                                                            system_clock::now() - *there - 500ms)));
    co_return found;
}

}  // namespace engram::daemon
