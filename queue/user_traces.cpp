#include "queue/user_traces.hpp"

#include "queue/pushed_json.hpp"
#include "redis/client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t replies_a_call = 16;
constexpr std::size_t keys_a_call = 100;

std::string_view text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool says_cancelled(json::object const& reply) {
    auto const* error = reply.if_contains("error");
    return error && error->is_object() && text_of(error->get_object(), "type") == "cancelled";
}

bool is_reply_of(std::string_view text, ended_jobs const& jobs,
                 std::unordered_set<std::string_view> const& ids) {
    boost::system::error_code error;
    auto const value = json::parse(text, error, {}, parse_options_of_pushed());
    auto const* reply = error ? nullptr : value.if_object();
    if (!reply || text_of(*reply, "user_id") != jobs.user_id || says_cancelled(*reply)) return false;
    return jobs.all || ids.contains(text_of(*reply, "id"));
}

}  // namespace

redis_traces::answer<std::vector<user_job>> redis_traces::find_jobs(std::string user_id, std::size_t limit) {
    auto found = co_await find_user_jobs(connection_, options_.prefix, user_id, limit);
    co_return found;
}

redis_traces::answer<bool> redis_traces::cancel(user_job what, std::string reply_to, std::string reply) {
    auto cancelled =
        co_await cancel_user_job(connection_, options_, what, std::move(reply_to), std::move(reply));
    co_return cancelled;
}

redis_traces::answer<std::size_t> redis_traces::erase_dead_letters(std::string user_id) {
    auto erased = co_await queue::erase_dead_letters(connection_, options_.prefix, user_id, {});
    co_return erased;
}

redis_traces::answer<std::size_t> redis_traces::erase_replies(ended_jobs what) {
    std::size_t replies = 0;
    for (auto const& key : what.reply_keys) {
        auto const erased = co_await erase_from(key, what);
        if (!erased) co_return erased.error();
        replies += *erased;
    }
    std::vector<std::string> streams;
    streams.reserve(what.job_ids.size());
    for (auto const& id : what.job_ids)
        streams.push_back(options_.prefix + ":stream:" + id);
    auto const deleted = co_await delete_keys(streams);
    if (!deleted) co_return deleted.error();
    // A job that was told its answer may have failed before.
    if (!what.all && !what.job_ids.empty()) {
        auto const letters =
            co_await queue::erase_dead_letters(connection_, options_.prefix, what.user_id, what.job_ids);
        if (!letters) co_return letters.error();
    }
    co_return replies;
}

// Walks the list from its end: replies are added there, and what is taken meanwhile is taken from the front.
redis_traces::answer<std::size_t> redis_traces::erase_from(std::string const& key, ended_jobs const& what) {
    std::unordered_set<std::string_view> const ids(what.job_ids.begin(), what.job_ids.end());
    std::size_t erased = 0, count = replies_a_call;
    for (std::size_t passed = 0;;) {
        auto const from = std::to_string(-std::int64_t(passed + count));
        auto const to = std::to_string(-std::int64_t(passed + 1));
        auto piece = co_await connection_.command({"LRANGE", key, from, to});
        if (!piece && piece.error().has_code("WRONGTYPE")) co_return erased;  // no reply was ever put there
        if (!piece && piece.error().with_connection && count > 1) {
            count /= 2;  // it may be more than Redis gives at a time
            continue;
        }
        if (!piece) co_return piece.error();
        for (auto const& reply : piece->items) {
            if (!is_reply_of(reply.text, what, ids)) {
                ++passed;
                continue;
            }
            auto const removed = co_await connection_.command({"LREM", key, "1", reply.text});
            if (!removed) co_return removed.error();
            erased += std::size_t(removed->as_integer());
        }
        if (piece->items.size() >= count) continue;
        if (passed > 0) co_return erased;
        // With its last reply a list is gone, and what was noted of their ages would keep its name.
        auto const forgotten = co_await delete_keys({options_.prefix + ":ages:" + key});
        if (!forgotten) co_return forgotten.error();
        co_return erased;
    }
}

redis_traces::answer<std::size_t> redis_traces::delete_keys(std::vector<std::string> const& keys) {
    std::size_t deleted = 0;
    for (std::size_t from = 0; from < keys.size(); from += keys_a_call) {
        std::vector<std::string_view> command{"DEL"};
        auto const to = std::min(from + keys_a_call, keys.size());
        command.insert(command.end(), keys.begin() + std::ptrdiff_t(from), keys.begin() + std::ptrdiff_t(to));
        auto const answer = co_await connection_.command(std::move(command));
        if (!answer) co_return answer.error();
        deleted += std::size_t(answer->as_integer());
    }
    co_return deleted;
}

}  // namespace engram::queue
