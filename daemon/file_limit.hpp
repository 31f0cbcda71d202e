// How many files and sockets this process may have open, and what that leaves for calls.
#pragma once

#include "daemon/config.hpp"

#include <cstddef>

namespace engram::daemon {

struct file_budget {
    std::size_t limit = 0;     ///< of the process
    std::size_t reserved = 0;  ///< for everything but calls
    std::size_t calls = 0;     ///< connections that are left for calls to Claude and the embedding endpoint
    std::size_t needed = 0;    ///< the limit with which as many jobs as configured run at a time

    /// Fewer than a few calls are no service.
    [[nodiscard]] bool is_enough_to_start() const { return calls >= 4; }
    [[nodiscard]] bool is_enough() const { return limit >= needed; }
};

/// Takes as many as the system grants, since each call has a connection of its own. Returns the limit.
std::size_t raise_file_limit();

[[nodiscard]] file_budget budget_of(std::size_t limit, config const& config);

/// Lowers what is configured to what the budget allows: more calls wait for a place, and fail otherwise.
void fit(config& config, file_budget const& budget);

}  // namespace engram::daemon
