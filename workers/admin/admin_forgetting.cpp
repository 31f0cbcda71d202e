// To forget a user. They may be talking just now, to any daemon, so the order counts:
//
// 1. The store forgets them. From then on a turn that was begun before cannot be stored any more.
// 2. Their jobs and requests are cancelled, wherever they are; a request that is being answered is waited
// for.
//    From then on no daemon writes a reply of such a turn, or to the store for such a request.
// 3. The store forgets them again, with what was stored between 1 and 2.
// 4. Replies, streams and dead letters are erased. Only the store knows where the replies are.
// 5. The store forgets them for the last time, and where their replies were.
//
// Each step may be done again. So when one fails the request is answered with an error, and pushing it again
// goes through all of them anew. If nobody does, upkeep does: from the first step to the last the store has
// the user among its pending erasures. Only if Redis fails in the very last step, replies of jobs that were
// pushed after the step before it stay until they expire.
#include "base/failpoint.hpp"
#include "queue/user_keys.hpp"
#include "workers/admin/admin.hpp"
#include "workers/admin/admin_calls.hpp"
#include "workers/admin/admin_result.hpp"

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

namespace {

constexpr std::size_t jobs_a_round = 200;
// Whoever pushes jobs faster than they can be cancelled must be stopped first.
constexpr std::size_t most_jobs = 200'000;
constexpr std::string_view why = "everything about this user was erased";

queue::farewell to_request(std::string_view body, admin_limits const& limits) {
    auto read = parse_admin_request(body, limits);
    auto const& request = read ? *read : read.error().partial;
    std::string_view const op = read || read.error().has_op ? name_of(request.op) : "";
    return {request.reply_to, admin_error(request.id, op, "cancelled", why, false)};
}

}  // namespace

admin::outcome admin::forget_user(admin_request const& request) {
    std::int64_t pending = 0;
    auto outcome = co_await forget_step_by_step(request.user_id, pending);
    if (!outcome) co_await settle(pending, store::erasure_state::open, clock_.wall() + erasure_retry);
    co_return outcome;
}

// `pending` becomes the number of the erasure.
admin::outcome admin::forget_step_by_step(std::string const& user, std::int64_t& pending) {
    base::wall_time at = clock_.wall();
    auto jobs = store::finished_jobs::keep;
    auto const forget = [&] { return store_.forget_user(user, jobs, at); };
    auto erased = co_await insist<store::erased>(forget);
    if (!erased) co_return erased.error();
    pending = erased->pending;
    base::failpoint("forgotten");

    auto const cancelled = co_await cancel_jobs(user);
    if (!cancelled) co_return cancelled.error();

    at = clock_.wall();
    auto const again = co_await insist<store::erased>(forget);
    if (!again) co_return again.error();
    erased->counts += again->counts;
    auto const replies = co_await erase_replies({user, again->reply_keys, again->job_ids, true});
    if (!replies) co_return replies.error();
    auto const bury = [&] { return traces_.erase_dead_letters(user); };
    auto const dead_letters = co_await insist_on_redis<std::size_t>(bury);
    if (!dead_letters) co_return dead_letters.error();

    at = clock_.wall();
    jobs = store::finished_jobs::remove;
    auto const last = co_await insist<store::erased>(forget);
    if (!last) co_return last.error();
    erased->counts += last->counts;
    checked<std::size_t> more = std::size_t{0};
    if (last->job_ids != again->job_ids)  // some were pushed meanwhile, perhaps with the same reply key
        more = co_await erase_replies({user, last->reply_keys, last->job_ids, true});
    if (!more) co_return more.error();

    object_text in_redis, result;
    in_redis.count("cancelled_jobs", *cancelled)
        .count("replies", *replies + *more)
        .count("dead_letters", *dead_letters);
    result.raw("deleted", to_json(erased->counts, true))
        .raw("redis", std::move(in_redis).end())
        .text("at", base::to_utc_text(at));
    co_return std::move(result).end();
}

// Returns how many jobs there were; their requests are cancelled as well, and not counted.
asio::awaitable<admin::checked<std::size_t>> admin::cancel_jobs(std::string const& user_id) {
    auto until = clock_.steady() + rules_.patience;
    std::size_t jobs = 0;
    auto const find = [&] { return traces_.find_jobs(user_id, jobs_a_round); };
    while (jobs < most_jobs) {
        auto const found = co_await insist_on_redis<std::vector<queue::user_job>>(find);
        if (!found) co_return found.error();
        if (found->empty()) co_return jobs;
        auto const cancelled = co_await cancel_each(*found, jobs);
        if (!cancelled) co_return cancelled.error();
        auto const now = clock_.steady();
        if (*cancelled > 0) {
            until = now + rules_.patience;
            continue;
        }
        // All have ended meanwhile, or their daemon is being registered anew, or answers a request of theirs.
        if (now >= until) break;
        asio::steady_timer timer(executor_, std::chrono::milliseconds(100));
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return failure{failure_kind::internal, "not all jobs of this user could be cancelled", true};
}

// Returns how many were there still; adds the jobs among them to `jobs`. A request that an instance is
// answering is left to it: it may be writing to the store at any moment, and no erasure that the store counts
// stops it.
asio::awaitable<admin::checked<std::size_t>> admin::cancel_each(std::vector<queue::user_job> const& found,
                                                                std::size_t& jobs) {
    admin_limits const limits{rules_.prefix, &rules_.reply_prefixes, rules_.max_request_bytes, &rules_.types};
    queue::job_limits const job_limits{limits.prefix, limits.reply_prefixes, limits.max_bytes};
    std::size_t cancelled = 0;
    for (auto const& one : found) {
        if (one.place == queue::job_place::taken) continue;
        auto const last =
            one.is_request() ? to_request(one.body, limits) : queue::farewell_to(one, job_limits, why);
        auto const cancel = [&] { return traces_.cancel(one, last.reply_to, last.reply); };
        auto const was_there = co_await insist_on_redis<bool>(cancel);
        if (!was_there) co_return was_there.error();
        if (!*was_there) continue;
        ++cancelled;
        if (!one.is_request()) ++jobs;
    }
    co_return cancelled;
}

}  // namespace engram::workers
