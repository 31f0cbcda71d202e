#include "ctl/admin_call.hpp"

#include "base/random_id.hpp"
#include "base/utf8.hpp"
#include "ctl/display.hpp"
#include "queue/job.hpp"

#include <set>
#include <sysexits.h>
#include <thread>
#include <utility>

namespace engram::ctl {

namespace json = boost::json;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds pause{250};  // while Redis is not ready

struct patience {
    steady_clock::time_point until;
    std::string trouble;  // why the connection was no help meanwhile
};

// None: not in time. A connection that breaks here may have taken the reply with it, but mostly has not.
base::result<std::optional<std::string>, complaint> await_reply(connection& redis, std::string const& key,
                                                                patience& patience) {
    while (steady_clock::now() < patience.until) {
        // Short waits: that Redis has moved to another server is noticed only by asking again.
        auto const popped = redis.call({"BLPOP", key, "1"}, std::chrono::seconds(1));
        if (popped && popped->items.size() == 2) return std::optional(popped->items[1].text);
        if (popped) continue;
        auto const& error = popped.error();
        if (!is_passing(error)) return explain(error);
        patience.trouble = cut_text(safe_text(error.message), 200);
        if (error.kind == redis::error_kind::refused) std::this_thread::sleep_for(pause);
    }
    return std::optional<std::string>();
}

// Whether the request was still in the list, and is not any more.
bool take_back(connection& redis, std::string const& list, std::string const& request) {
    auto const removed = redis.call({"LREM", list, "1", request});
    return removed && removed->as_integer() > 0;
}

complaint complain_of_silence(connection& redis, std::string const& list, std::string const& request,
                              admin_target const& target, std::string const& trouble) {
    auto line = "no engramd answers within " + std::to_string(target.timeout.count()) + " s";
    if (!trouble.empty()) line += " (the connection to Redis was lost meanwhile: " + trouble + ")";
    if (take_back(redis, list, request))
        line += "; the request was taken back. Does one run on this Redis and --prefix?";
    else
        line += "; it may still carry out the request. Run it again: nothing is done twice";
    return {line, EX_TEMPFAIL};
}

// Where no answer came to the push, the request may be in the list all the same.
complaint complain_of_push(connection& redis, std::string const& list, std::string const& request,
                           redis::error const& error) {
    if (!error.leaves_doubt()) return explain(error);
    auto line = "the connection to Redis was lost (" + cut_text(safe_text(error.message), 200) + ")";
    if (take_back(redis, list, request))
        line += "; the request was taken back: nothing was done";
    else
        line +=
            "; if the request has arrived it may still be carried out. Run it again: nothing is done twice";
    return {line, EX_UNAVAILABLE};
}

}  // namespace

admin_result call_admin(connection& redis, admin_target const& target, std::string_view op,
                        json::object fields) {
    auto const id = "ctl-" + base::random_hex(12);
    auto const request = admin_request_text(id, op, target.user, std::move(fields));
    if (!base::is_utf8(request)) return complaint{"what is given is not UTF-8", EX_USAGE};
    auto const list = target.prefix + ":admin";
    patience patience{steady_clock::now() + target.timeout, {}};
    auto const pushed = redis.call({"LPUSH", list, request});
    if (!pushed) return complain_of_push(redis, list, request, pushed.error());
    auto const reply = await_reply(redis, queue::default_reply_key(target.prefix, id), patience);
    if (!reply) return reply.error();
    if (!*reply) return complain_of_silence(redis, list, request, target, patience.trouble);
    return read_admin_reply(**reply);
}

std::optional<complaint> walk_pages(connection& redis, admin_target const& target, page_walk& walk,
                                    std::function<bool(json::object const&)> const& take) {
    std::set<std::string> seen;
    do {
        auto fields = walk.fields;
        if (walk.cursor) {
            fields["cursor"] = *walk.cursor;
            seen.insert(*walk.cursor);
        }
        auto const result = call_admin(redis, target, walk.op, std::move(fields));
        if (!result) return result.error();
        auto next = next_cursor(*result, seen);
        if (!next) return next.error();
        if (!take(*result)) return senseless_reply();
        walk.cursor = std::move(*next);
    } while (walk.all && walk.cursor);
    return std::nullopt;
}

}  // namespace engram::ctl
