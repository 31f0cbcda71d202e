// What a Redis server's settings put at risk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {

/// The value of `name` in the answer to INFO; empty if there is none.
[[nodiscard]] std::string_view info_field(std::string_view info, std::string_view name);

/// One sentence a risk, each saying what may be lost and which setting ends it. `info` is the answer to INFO;
/// what it does not tell is not judged. `prefix` is that of our keys.
[[nodiscard]] std::vector<std::string> server_risks(std::string_view info, std::string_view prefix);

}  // namespace engram::redis
