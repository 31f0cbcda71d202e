// What the API says in words that are known. Pure.
#pragma once

#include <string>
#include <string_view>

namespace engram::claude {

/// The sentence with which `message`, the API's own text, begins, if it is one of those that say more than
/// their code: in our words and never in the bytes that came, which may repeat what a user wrote. With the
/// day on which a limit ends, where the API tells it. Empty: it is not known.
[[nodiscard]] std::string known_wording(std::string_view message);

}  // namespace engram::claude
