// Memories, turns and sessions with everything that is known about them. Times are UTC text; empty: unknown
// or none.
#pragma once

#include "store/types.hpp"

#include <cstdint>
#include <string>

namespace engram::store {

struct memory_record {
    memory what;
    std::string updated_at, last_seen, valid_from;
    std::string valid_to;  ///< not empty: a version of the past
    std::int64_t times_seen = 1;
    std::int64_t superseded_by = 0;  ///< id of the memory that took its place; 0: none
    bool pinned = false;
    std::string expires_at;
    std::string job_id;
};

struct turn_record {
    turn what;
    std::string session_id, created_at;
    bool summarized = false;
    std::string job_id = {};  ///< that it came with; empty: not known
};

struct session_record {
    std::string session_id;
    std::string updated_at;
    std::size_t turns = 0;  ///< in the window and in summaries
};

}  // namespace engram::store
