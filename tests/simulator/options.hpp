// The command line.
#pragma once

#include "latency.hpp"
#include "rate_limits.hpp"
#include "step.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engram::simulator {

struct options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8787;
    std::string port_file;
    std::string tls_cert, tls_key;
    std::vector<std::string> api_keys;  ///< empty: any
    simulator::latency latency;
    double tokens_per_second = 0;  ///< 0: at once
    std::vector<step> faults;
    std::vector<step> script;
    std::uint64_t seed = 1;
    std::size_t record = 10'000;
    bool any_model = false;
    std::vector<std::string> gone;      ///< models that there are no more
    std::int64_t context = 0;           ///< tokens that every model holds; 0: as many as it does
    std::int64_t thinking_tokens = 32;  ///< that a model which thinks spends on it
    bool quiet = false;
    rate_options rates;
};

/// What main shall do: run with options, or end with a status (help was asked for, or the line is wrong; the
/// text has been written).
struct command_line {
    std::optional<simulator::options> options;
    int exit_status = 0;
};

[[nodiscard]] command_line read_command_line(int argc, char const* const* argv);

}  // namespace engram::simulator
