// A user's jobs and keys in a Redis of the test's own, and what must hold of lanes between any two scripts.
#pragma once

#include "queue/user_keys.hpp"
#include "redis/script.hpp"
#include "worker.hpp"

#include <string>
#include <vector>

namespace engram::test {

struct user_fixture : queue_fixture {
    user_fixture();

    client hand;
    queue::options set;  ///< the test's

    void play(task<void> (*body)(user_fixture&)) { run(body(*this)); }
    std::string look(std::vector<std::string> const& command) { return server.command(command); }
    /// Fails the test if lanes, users, counts or backlogs contradict each other.
    void check_promises();

    task<std::vector<queue::user_job>> find(std::string user, std::size_t limit = 100);
    /// Ends it with the reply "ended" at the address of its id.
    task<bool> cancel(queue::user_job what);
    /// All dead letters of the user; returns how many there were.
    task<std::size_t> erase(std::string user);
    /// The only job of this user; throws std::runtime_error if there are others.
    task<queue::user_job> only(std::string user);
    task<queue::user_job> job_of(std::string user, std::string id);

    /// Runs a script by hand; `arguments` follow the prefix.
    std::string call(redis::script const& which, std::vector<std::string> arguments);
    /// The script, with these numbers of jobs to move and to take.
    void take(std::string const& instance, std::string const& ingest, std::string const& claim);
    void bury(std::string const& job);
    /// Every lane that is delayed is due from now on.
    void end_pauses();
    /// Starts a daemon that has room for one job, and lets it move all others to lanes and backlogs: the one
    /// that it runs.
    task<std::shared_ptr<turn>> park(worker& w);

    /// Member `id` of a job's text.
    [[nodiscard]] static std::string id_of(std::string const& body);

private:
    int takes_ = 0;
};

}  // namespace engram::test
