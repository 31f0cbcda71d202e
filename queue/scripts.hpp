// The queue's Lua scripts (queue/scripts/*.lua), compiled in.
#pragma once

#include "redis/script.hpp"

#include <string>
#include <vector>

namespace engram::queue {

struct scripts {
    redis::script take, finish, release, delay, heartbeat, reconcile, leave, dead_retry;
    redis::script admin_take, admin_finish, admin_release;
    redis::script user_jobs, cancel, dead_without, dead_trim;
    redis::script pace, refuse;
    redis::script check;
};

[[nodiscard]] scripts const& all_scripts();

/// An argument that is a list of texts: in JSON.
[[nodiscard]] std::string list_argument(std::vector<std::string> const& texts);

}  // namespace engram::queue
