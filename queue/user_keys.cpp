#include "queue/user_keys.hpp"

#include "base/random_id.hpp"
#include "queue/job_reading.hpp"
#include "queue/reply.hpp"
#include "queue/scripts.hpp"
#include "queue/suspicion.hpp"
#include "redis/client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_bytes_found = std::size_t{512} << 10;  // by one call
constexpr int most_attempts = 20;  // at copying dead letters while others take some away

struct named_place {
    job_place place;
    char const* name;
};

// The way that jobs go, so that one that moves is met further on.
constexpr std::array<named_place, 6> places{{{job_place::list, "jobs"},
                                             {job_place::backlog, "backlog"},
                                             {job_place::odd, "odd"},
                                             {job_place::lane, "lanes"},
                                             {job_place::admin, "admin"},
                                             {job_place::taken, "taken"}}};

std::string name_of(job_place place) {
    return std::find_if(places.begin(), places.end(), [&](auto const& one) { return one.place == place; })
        ->name;
}

std::string name_of_copy(std::string const& prefix) {
    return prefix + ":dead:copy:" + base::random_hex(8);
}

redis::error odd_answer() {
    return {redis::error_kind::refused, "ERR a script gave an answer that is none"};
}

struct search {
    std::string prefix, user, id;
    std::size_t limit;
    std::vector<user_job> found;
    std::size_t bytes = most_bytes_found;  // that a call may bring; one job more
};

// Whether what was lost with its connection may come in smaller pieces.
bool ask_for_less(search& what, redis::error const& error) {
    if (!error.with_connection || what.bytes <= 1) return false;
    what.bytes = what.bytes > least_suspicious_bytes ? what.bytes / 2 : 1;
    return true;
}

// What is lost though it was asked for alone is more than Redis gives, as far as can be told.
redis::error not_shown(redis::error error) {
    if (error.with_connection)
        error.message +=
            "; if it is closed each time, a job or request of the user is larger than Redis gives: raise "
            "client-output-buffer-limit normal (docs/redis.md)";
    return error;
}

// What it finds is added to `what`, up to its limit.
asio::awaitable<std::optional<redis::error>> walk(redis::client& connection, job_place place,
                                                  std::string name, search& what) {
    auto const key = what.prefix + ":jobs";
    auto& found = what.found;
    std::string cursor;
    bool more = true;
    while (more) {
        if (found.size() >= what.limit) co_return std::nullopt;
        auto const room = std::to_string(what.limit - found.size());
        std::vector<std::string> const arguments{what.prefix, "",   what.user, name,
                                                 cursor,      room, what.id,   std::to_string(what.bytes)};
        auto answer = co_await all_scripts().user_jobs.run(connection, key, arguments);
        if (!answer && ask_for_less(what, answer.error())) continue;
        if (!answer) co_return not_shown(answer.error());
        if (answer->items.size() != 2) co_return odd_answer();
        cursor = std::move(answer->items[0].text);
        auto& parts = answer->items[1].items;
        for (std::size_t i = 0; i + 2 < parts.size() && found.size() < what.limit; i += 3) {
            user_job one{place, std::move(parts[i].text), std::move(parts[i + 1].text),
                         std::move(parts[i + 2].text)};
            if (place == job_place::lane && one.body.empty()) {
                auto body = co_await connection.command({"HGET", what.prefix + ":body", one.ticket});
                if (!body) co_return not_shown(body.error());
                if (body->text.empty()) continue;  // it has ended meanwhile
                one.body = std::move(body->text);
            }
            found.push_back(std::move(one));
        }
        more = !cursor.empty();
    }
    co_return std::nullopt;
}

// Requests have no tickets: of those with the same bytes, as many are new as are more than were met before.
void add_unmet(std::vector<user_job>& found, std::vector<user_job> more, std::size_t limit) {
    std::map<std::string, std::size_t> met;
    for (auto const& one : found)
        if (one.is_request()) ++met[one.body];
    for (auto& one : more) {
        if (found.size() >= limit) return;
        if (auto& times = met[one.body]; times > 0)
            --times;
        else
            found.push_back(std::move(one));
    }
}

}  // namespace

asio::awaitable<redis::result<std::vector<user_job>>> find_user_jobs(redis::client& connection,
                                                                     std::string_view prefix,
                                                                     std::string_view user, std::size_t limit,
                                                                     std::string_view id) {
    search what{std::string(prefix), std::string(user), std::string(id), limit, {}};
    for (auto const& [place, name] : places) {
        auto const failed = co_await walk(connection, place, name, what);
        if (failed) co_return *failed;
    }
    // A request that went back from its instance between these two walks was in neither.
    search again{what.prefix, what.user, what.id, limit, {}, what.bytes};
    auto const failed = co_await walk(connection, job_place::admin, "admin", again);
    if (failed) co_return *failed;
    add_unmet(what.found, std::move(again.found), limit);
    co_return std::move(what.found);
}

farewell farewell_to(user_job const& what, job_limits const& limits, std::string_view why) {
    auto read = read_any_job(what.body, limits);
    auto job = read ? std::move(*read) : std::move(read.error().partial);
    error_reply reply;
    // A job that named no id has its ticket for one, if it has got that far.
    reply.id = job.id.empty() ? what.ticket : job.id;
    reply.user_id = std::move(job.user_id);
    reply.session_id = std::move(job.session_id);
    reply.type = "cancelled";
    reply.message = why;
    reply.metadata = std::move(job.metadata);
    auto to = std::move(job.reply_to);
    if (to.empty() && !reply.id.empty()) to = default_reply_key(limits.prefix, reply.id);
    return {std::move(to), to_json(reply)};
}

asio::awaitable<redis::result<bool>> cancel_user_job(redis::client& connection, options const& options,
                                                     user_job const& what, std::string reply_to,
                                                     std::string reply, running what_runs) {
    std::chrono::milliseconds const ttl = options.reply_ttl;
    std::string const key = options.prefix + ":jobs";
    std::vector<std::string> const arguments{options.prefix,
                                             "",
                                             name_of(what.place),
                                             what.ticket,
                                             what.entry,
                                             what.body,
                                             std::move(reply_to),
                                             std::move(reply),
                                             std::to_string(ttl.count()),
                                             std::to_string(options.max_parked),
                                             std::to_string(options.max_parked_per_user),
                                             what_runs == running::is_left_alone ? "1" : ""};
    auto const answer = co_await all_scripts().cancel.run(connection, key, arguments);
    if (!answer) co_return answer.error();
    if (answer->items.size() != 2) co_return odd_answer();
    co_return answer->items[0].as_integer() == 1;
}

asio::awaitable<redis::result<std::size_t>> erase_dead_letters(redis::client& connection,
                                                               std::string_view prefix, std::string_view user,
                                                               std::vector<std::string> jobs) {
    std::string const p(prefix), of(user), key = p + ":jobs";
    std::string copy, last, left_out = "0";
    // Of some jobs there are mostly none, and a copy costs its time, its memory and the consumer groups.
    if (jobs.empty()) copy = name_of_copy(p);
    for (int attempts = 0; attempts < most_attempts;) {
        std::vector<std::string> arguments{p, "", of, copy, last, left_out};
        arguments.insert(arguments.end(), jobs.begin(), jobs.end());
        auto answer = co_await all_scripts().dead_without.run(connection, key, arguments);
        if (!answer) co_return answer.error();
        auto& items = answer->items;
        if (items.size() != 3) co_return odd_answer();
        if (items[0].text == "done") co_return std::size_t(items[2].as_integer());
        if (items[0].text == "found") copy = name_of_copy(p);
        if (items[0].text == "again") ++attempts;
        last = std::move(items[1].text);
        left_out = std::to_string(items[2].as_integer());
    }
    co_return redis::error{redis::error_kind::refused,
                           "BUSY dead letters are being taken away all the time; try again"};
}

}  // namespace engram::queue
