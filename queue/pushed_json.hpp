// JSON as producers push it: what is harmless is repaired, so that nobody waits in vain for it. Pure.
#pragma once

#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace engram::queue {

/// How deep objects and lists may be nested in what is pushed, and so in replies, which bring `metadata`
/// back.
inline constexpr std::size_t most_pushed_depth = 64;

[[nodiscard]] inline boost::json::parse_options parse_options_of_pushed() {
    boost::json::parse_options options;
    options.max_depth = most_pushed_depth;
    return options;
}

struct pushed_json {
    boost::json::value value;  ///< null if there is a problem
    std::string mended;        ///< what it was parsed of; empty: the producer's own bytes
    std::string problem;       ///< why it is no JSON, and where: "syntax error at byte 57"; empty: it is
};

/// `bytes` parsed; if that fails, what repaired() makes of them, nested up to most_pushed_depth.
[[nodiscard]] pushed_json parse_pushed(std::string_view bytes);

/// `bytes` without a byte order mark, NUL and blanks around them, and with U+FFFD in the place of half a
/// surrogate pair (`\ud83d`) and of each byte that is no UTF-8 inside of strings. The members that name a
/// user, a conversation, an address or an operation (user_id, session_id, id, reply_to, op) stay as they are:
/// repaired, two of them could become one. Empty: there is nothing to repair.
[[nodiscard]] std::string repaired(std::string_view bytes);

/// Nothing but blanks and U+FFFD: of what somebody wrote nothing is left.
[[nodiscard]] bool is_lost(std::string_view text);

}  // namespace engram::queue
