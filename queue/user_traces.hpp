// What Redis holds of a user, as those who forget the user ask for it.
#pragma once

#include "queue/options.hpp"
#include "queue/user_keys.hpp"
#include "redis/value.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace engram::redis {
class client;
}

namespace engram::queue {

/// Jobs of one user that have ended, and where their replies may be.
struct ended_jobs {
    std::string user_id;
    std::vector<std::string> reply_keys;
    std::vector<std::string> job_ids;
    bool all =
        false;  ///< every reply to this user at these keys goes, whether its job is among `job_ids` or not
};

/// Calls from one executor; each throws on cancellation alone. What it refers to must outlive it.
class user_traces {
public:
    template <class T>
    using answer = boost::asio::awaitable<redis::result<T>>;

    virtual ~user_traces() = default;

    /// As find_user_jobs().
    virtual answer<std::vector<user_job>> find_jobs(std::string user_id, std::size_t limit) = 0;
    /// As cancel_user_job().
    virtual answer<bool> cancel(user_job what, std::string reply_to, std::string reply) = 0;
    /// Replies, streams and, of the named jobs only, dead letters; returns how many replies there were.
    /// Others may wait at the same key for the replies of their own jobs: those stay, and so does what tells
    /// a caller that their job was cancelled.
    virtual answer<std::size_t> erase_replies(ended_jobs what) = 0;
    virtual answer<std::size_t> erase_dead_letters(std::string user_id) = 0;
};

class redis_traces : public user_traces {
public:
    redis_traces(redis::client& connection, options options)
        : connection_(connection), options_(std::move(options)) {}

    answer<std::vector<user_job>> find_jobs(std::string user_id, std::size_t limit) override;
    answer<bool> cancel(user_job what, std::string reply_to, std::string reply) override;
    answer<std::size_t> erase_replies(ended_jobs what) override;
    answer<std::size_t> erase_dead_letters(std::string user_id) override;

private:
    answer<std::size_t> erase_from(std::string const& key, ended_jobs const& what);
    answer<std::size_t> delete_keys(std::vector<std::string> const& keys);

    redis::client& connection_;
    options options_;
};

}  // namespace engram::queue
