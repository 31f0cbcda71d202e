#include "claude/error.hpp"

namespace engram::claude {

std::string loggable(error const& why) {
    return why.status == 0 ? why.message : "HTTP status " + std::to_string(why.status);
}

}  // namespace engram::claude
