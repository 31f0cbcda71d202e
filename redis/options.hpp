// How to reach Redis.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace engram::redis {

/// How to reach one Redis.
struct options {
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

}  // namespace engram::redis
