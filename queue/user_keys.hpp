// What Redis holds of one user: found, ended and erased, to forget the user.
#pragma once

#include "queue/job.hpp"
#include "queue/options.hpp"
#include "redis/value.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {
class client;
}

namespace engram::queue {

/// Where a job or request is.
enum class job_place {
    list,     ///< P:jobs: nobody has looked at it yet
    backlog,  ///< P:backlog:<user>
    odd,      ///< P:backlog: the user could not be told when it was looked at (it is too large, say)
    lane,     ///< waiting or running, in this daemon or another
    admin,    ///< P:admin: a request that waits
    taken,    ///< a request that an instance answers
};

struct user_job {
    job_place place = job_place::list;
    std::string ticket;  ///< in a lane or backlog
    std::string entry;   ///< of a backlog; for `taken`: the instance
    std::string body;    ///< the producer's bytes

    [[nodiscard]] bool is_request() const { return place == job_place::admin || place == job_place::taken; }
};

/// The jobs of `user` that wait or run, and their requests in P:admin but those for `user.forget`, at most
/// `limit`; fewer than that are all. Whatever was there when it began and is still there is found, also if it
/// moves meanwhile; so: find, cancel all, and again, until nothing is found. A job whose text does not name
/// a user in JSON that can be read, repaired if need be, belongs to no user. `id`: only those with this id;
/// empty: all. What Redis does not give in one piece is asked for in smaller ones, down to a job at a time.
boost::asio::awaitable<redis::result<std::vector<user_job>>> find_user_jobs(redis::client& connection,
                                                                            std::string_view prefix,
                                                                            std::string_view user,
                                                                            std::size_t limit,
                                                                            std::string_view id = {});

struct farewell {
    std::string reply_to;  ///< empty: there is nobody to tell
    std::string reply;     ///< JSON
};

/// What the producer of a job hears that is cancelled.
[[nodiscard]] farewell farewell_to(user_job const& what, job_limits const& limits, std::string_view why);

/// What happens to a job that runs.
enum class running { ends, is_left_alone };

/// Takes one out of its place, whoever has it, and writes `reply` at `reply_to` (empty: nobody is told), in
/// one step. There is no dead letter. Whoever runs it goes on, but writes no reply any more; what it does to
/// the store meanwhile is the store's affair. False: it was not there (any more), or is left alone, or its
/// daemon is just being registered anew; find_user_jobs() tells which. Requests end, whatever `what_runs`
/// says. Of `options` are used: prefix, reply_ttl, max_parked, max_parked_per_user.
boost::asio::awaitable<redis::result<bool>> cancel_user_job(redis::client& connection, options const& options,
                                                            user_job const& what, std::string reply_to,
                                                            std::string reply,
                                                            running what_runs = running::ends);

/// Deletes the dead letters of the user's jobs and requests with these ids (none: of all), whose text is then
/// no longer in Redis's memory nor in what it saves from then on. Returns how many. May be called again after
/// an error. Each call of Redis looks at a bounded piece, so that it is not held up. With ids, P:dead stays
/// as it is if none of its entries is concerned; without, it is written anew in any case, since the text of
/// letters of this user that were deleted before may still be in it.
boost::asio::awaitable<redis::result<std::size_t>> erase_dead_letters(redis::client& connection,
                                                                      std::string_view prefix,
                                                                      std::string_view user,
                                                                      std::vector<std::string> jobs);

}  // namespace engram::queue
