// What it means that Redis refuses a command, and what an operator can do. Pure.
#pragma once

#include <string_view>

namespace engram::queue {

struct refusal {
    std::string_view sign;  ///< what the error of Redis holds
    std::string_view what, cure;
    bool passes = false;  ///< it may be over without anybody's doing
    /// Of every command that stores something, whoever sends it.
    bool of_writes = false;
};

/// `error` is that of Redis, perhaps behind the command and ": ". Null: nothing is known of it.
[[nodiscard]] refusal const* meaning_of(std::string_view error);

}  // namespace engram::queue
