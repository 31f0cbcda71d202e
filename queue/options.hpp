// What the queue is made with.
#pragma once

#include "redis/options.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace engram::queue {

struct options {
    redis::options server;  ///< how to reach Redis
    std::string prefix = "engram";
    /// First part of this process's incarnation id; empty: host name and process id.
    std::string instance_name;
    /// Which database stands behind this process: "<its id>.<its place>", both in hexadecimal digits. One
    /// with another does not serve the same queue at the same time. Empty: any may.
    std::string database;

    std::size_t max_in_flight = 256;  ///< jobs taken at a time
    /// Jobs in lanes, waiting or running, over all daemons: Redis needs some hundred bytes more for each than
    /// in P:jobs, where what exceeds this stays.
    std::size_t max_parked = 100'000;
    std::size_t max_parked_per_user = 1'000;  ///< of them; what exceeds it waits behind, and hides nobody
    std::size_t max_job_bytes = 262'144;
    std::chrono::milliseconds lease{15'000};      ///< an instance silent for this long is dead
    std::chrono::milliseconds deadline{600'000};  ///< for jobs that name none
    std::chrono::milliseconds drain{30'000};      ///< at SIGTERM: for jobs to end by themselves
    unsigned max_deliveries = 3;                  ///< ended by a death or a stall; then `poisoned`
    std::chrono::seconds reply_ttl{3'600};
    std::chrono::hours dedupe{72};            ///< how long outcomes are kept for repeats
    std::size_t dead_max_count = 0;           ///< dead letters that are kept; 0: all
    std::chrono::hours dead_max_age{0};       ///< how long they are kept; 0: for ever
    std::vector<std::string> reply_prefixes;  ///< allowed for reply_to besides `P:reply:`
};

}  // namespace engram::queue
