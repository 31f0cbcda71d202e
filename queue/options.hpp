// What the queue is made with.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace engram::queue {

/// How to reach one Redis.
struct redis_options {
    /// `redis://[[user]:password@]host[:port][/db]`, `rediss://…` (TLS),
    /// `unix://[[user]:password@]/path[?db=N]`.
    std::string url = "redis://127.0.0.1:6379";
    /// Sentinels that know the master of `service`, each `host:port` or a URL with its password. Where there
    /// are any, host and port of `url` are not used, the rest of it is.
    std::vector<std::string> sentinels;
    std::string service;
    /// A file of CA certificates to trust instead of the system's store (rediss://).
    std::string ca_file;
    std::chrono::milliseconds connect_timeout{5'000};  ///< DNS, TCP, TLS, AUTH and SELECT together
    std::chrono::milliseconds command_timeout{
        5'000};                                    ///< silence allowed while a command waits for its answer
    std::chrono::milliseconds backoff_max{2'000};  ///< the longest pause between two attempts to connect
};

struct options {
    redis_options redis;
    std::string prefix = "engram";
    /// First part of this process's incarnation id; empty: host name and process id.
    std::string instance_name;

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
    std::vector<std::string> reply_prefixes;  ///< allowed for reply_to besides `P:reply:`
};

}  // namespace engram::queue
