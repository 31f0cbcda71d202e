#include "queue/job_calls.hpp"

#include "base/random_id.hpp"
#include "queue/scripts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace engram::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_ingested_a_call = 128;                // as many take Redis about a millisecond
constexpr milliseconds longest_pause = std::chrono::minutes(5);  // heartbeat.lua knows of it
constexpr std::size_t longest_reason = 120;                      // of a delay; it stands in Redis

redis::error odd_answer() {
    return {redis::error_kind::refused, "ERR a script gave an answer that is none"};
}

// `item`: {lane, ticket, body, deliveries, deaths, first_seen_ms}, and when a call for it first failed, if
// one has.
delivery read_delivery(redis::value& item, std::string const& instance, std::int64_t now_ms) {
    delivery one;
    one.instance = instance;
    one.lane = std::move(item.items[0].text);
    one.ticket = std::move(item.items[1].text);
    one.body = std::move(item.items[2].text);
    one.attempts = int(item.items[3].as_integer());
    one.deaths = int(item.items[4].as_integer());
    one.queued_ms = std::max<std::int64_t>(0, now_ms - item.items[5].as_integer());
    one.received = steady_clock::now();
    if (item.items.size() > 6)
        one.failing = milliseconds(std::max<std::int64_t>(0, now_ms - item.items[6].as_integer()));
    return one;
}

// `answer`: {alive, now_ms, jobs moved, 1 if there may be more, claimed, refused}.
taken_jobs read_taken(redis::value& answer, std::string const& instance) {
    taken_jobs taken;
    if (answer.items.size() != 6) return taken;
    taken.alive = answer.items[0].as_integer() != 0;
    auto const now_ms = answer.items[1].as_integer();
    taken.moved = std::size_t(std::max<std::int64_t>(0, answer.items[2].as_integer()));
    taken.more = answer.items[3].as_integer() != 0;
    taken.refused = std::size_t(std::max<std::int64_t>(0, answer.items[5].as_integer()));
    auto& claimed = answer.items[4].items;
    taken.jobs.reserve(claimed.size());
    for (auto& item : claimed)
        if (item.items.size() >= 6) taken.jobs.push_back(read_delivery(item, instance, now_ms));
    return taken;
}

// The shortest text that is this number.
std::string text_of(double n) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), n).ptr};
}

void append_pace_arguments(std::vector<std::string>& arguments, pace_report const& one) {
    arguments.push_back(one.model);
    for (auto const n : {one.chats, one.others, one.soon, one.answered_a_minute, one.unused})
        arguments.push_back(std::to_string(n));
    arguments.emplace_back(one.refused ? "1" : "0");
    for (auto const n : {one.allowed, one.left})
        arguments.push_back(text_of(n));
    arguments.push_back(std::to_string(one.hold.count()));
}

// `item`: {permits, calls a minute}. Whether it is.
bool read_grant(redis::value const& item, pace_grant& into) {
    if (item.items.size() != 2 || item.items[0].kind != redis::value_kind::integer) return false;
    auto const calls = item.items[0].integer;
    auto const& text = item.items[1].text;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, into.a_minute);
    into.calls = std::size_t(std::max<std::int64_t>(0, calls));
    return calls >= 0 && error == std::errc() && stop == end && std::isfinite(into.a_minute);
}

}  // namespace

job_calls::job_calls(options const& options, redis::client& connection)
    : options_(options),
      connection_(connection),
      jobs_key_(options.prefix + ":jobs"),
      ticket_prefix_(base::random_hex(8)) {}

template <class T>
void job_calls::note(redis::result<T> const& given, std::string_view doing) {
    if (given)
        trouble_.clear();
    else
        trouble_.note(given.error(), doing);
}

void job_calls::append_take_arguments(std::vector<std::string>& arguments, share most) {
    // More is moved to lanes than is claimed, so that the jobs of others behind a crowd are seen.
    arguments.push_back(std::to_string(most.claims == 0 ? 0 : most_ingested_a_call));
    arguments.push_back(std::to_string(most.claims));
    arguments.push_back(std::to_string(options_.max_parked));
    arguments.push_back(std::to_string(options_.max_parked_per_user));
    arguments.push_back(std::to_string(options_.max_job_bytes));
    arguments.push_back(ticket_prefix_ + "-" + std::to_string(++ticket_batches_));
    arguments.push_back(std::to_string(milliseconds(options_.reply_ttl).count()));
    arguments.push_back(list_argument(options_.reply_prefixes));
    arguments.push_back(std::to_string(most.bytes));
}

job_calls::answer<taken_jobs> job_calls::take(std::string instance, share most, redis::client* over) {
    std::vector<std::string> arguments{options_.prefix, instance};
    append_take_arguments(arguments, most);
    auto given = co_await all_scripts().take.run(over ? *over : connection_, jobs_key_, arguments);
    note(given, "taking jobs");
    if (!given) co_return given.error();
    co_return read_taken(*given, instance);
}

job_calls::answer<finished_job> job_calls::finish(delivery const& what, settlement const& outcome, share most,
                                                  redis::client* over) {
    std::vector<std::string> arguments{options_.prefix,
                                       what.instance,
                                       what.lane,
                                       what.ticket,
                                       outcome.reply_to,
                                       outcome.reply,
                                       std::to_string(milliseconds(options_.reply_ttl).count()),
                                       outcome.id,
                                       outcome.dead ? outcome.dead->reason : std::string(),
                                       outcome.dead ? outcome.dead->message : std::string()};
    append_take_arguments(arguments, most);
    auto given = co_await all_scripts().finish.run(over ? *over : connection_, jobs_key_, arguments);
    note(given, "writing a reply");
    if (!given) co_return given.error();
    finished_job finished;
    if (given->items.size() != 3) co_return finished;
    using enum finished_job::how;
    auto const end = given->items[0].as_integer();
    finished.end = end == 0 ? late : end == 2 ? not_stored : done;
    finished.taken = read_taken(given->items[1], what.instance);
    finished.refused = std::move(given->items[2].text);
    co_return finished;
}

job_calls::answer<bool> job_calls::release(delivery const& what, bool failed) {
    std::vector<std::string> const arguments{options_.prefix, what.instance, what.lane, what.ticket,
                                             failed ? "1" : "0"};
    auto const given = co_await all_scripts().release.run(connection_, jobs_key_, arguments);
    note(given, "giving a job back");
    if (!given) co_return given.error();
    co_return given->as_integer() != 0;
}

job_calls::answer<bool> job_calls::delay(delivery const& what, postponement const& later) {
    auto const pause = std::clamp<std::int64_t>(later.pause.count(), 0, longest_pause.count());
    std::vector<std::string> const arguments{
        options_.prefix, what.instance,         what.lane,
        what.ticket,     std::to_string(pause), later.reason.substr(0, longest_reason)};
    auto const given = co_await all_scripts().delay.run(connection_, jobs_key_, arguments);
    note(given, "putting a job off");
    if (!given) co_return given.error();
    co_return given->as_integer() != 0;
}

job_calls::answer<std::int64_t> job_calls::reconcile(std::string instance, std::vector<std::string> tickets) {
    std::vector<std::string> arguments{options_.prefix, std::move(instance)};
    arguments.insert(arguments.end(), tickets.begin(), tickets.end());
    auto const given = co_await all_scripts().reconcile.run(connection_, jobs_key_, arguments);
    note(given, "looking for lost deliveries");
    if (!given) co_return given.error();
    co_return given->as_integer();
}

job_calls::answer<std::int64_t> job_calls::refuse(std::string instance, std::vector<std::string> tickets) {
    std::vector<std::string> arguments{options_.prefix, std::move(instance)};
    append_take_arguments(arguments, {});
    arguments.insert(arguments.end(), tickets.begin(), tickets.end());
    auto const given = co_await all_scripts().refuse.run(connection_, jobs_key_, arguments);
    note(given, "refusing jobs that cannot be delivered");
    if (!given) co_return given.error();
    co_return given->as_integer();
}

job_calls::answer<std::int64_t> job_calls::leave(std::string instance) {
    std::vector<std::string> const arguments{options_.prefix, std::move(instance)};
    auto const given = co_await all_scripts().leave.run(connection_, jobs_key_, arguments);
    if (!given) co_return given.error();
    co_return given->as_integer();
}

job_calls::answer<heartbeat_answer> job_calls::beat(heartbeat what) {
    std::vector<std::string> const arguments{
        options_.prefix,           std::move(what.instance), std::to_string(options_.lease.count()),
        std::string(1, what.kind), std::move(what.report),   std::move(what.previous),
        options_.database};
    auto const given = co_await all_scripts().heartbeat.run(connection_, jobs_key_, arguments);
    if (!given) co_return given.error();
    auto const& items = given->items;
    if (items.size() != 6) co_return odd_answer();
    co_return heartbeat_answer{items[0].as_integer() != 0, items[1].as_integer(), items[2].as_integer(),
                               items[3].as_integer(),      items[4].as_integer(), items[5].as_integer() != 0};
}

job_calls::answer<std::vector<pace_grant>> job_calls::pace(std::string instance,
                                                           std::vector<pace_report> reports) {
    std::vector<std::string> arguments{options_.prefix, std::move(instance)};
    for (auto const& one : reports)
        append_pace_arguments(arguments, one);
    auto const given = co_await all_scripts().pace.run(connection_, jobs_key_, arguments);
    if (!given) co_return given.error();
    if (given->items.size() != reports.size()) co_return odd_answer();
    std::vector<pace_grant> grants(reports.size());
    for (std::size_t i = 0; i < grants.size(); ++i) {
        grants[i].model = std::move(reports[i].model);
        if (!read_grant(given->items[i], grants[i])) co_return odd_answer();
    }
    co_return grants;
}

}  // namespace engram::queue
