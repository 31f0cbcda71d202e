// How an answer reaches the client: a list of actions that the connection performs one after the other. All
// faults of the connection are written as such lists, so that they can be tested without a socket.
#pragma once

#include "latency.hpp"
#include "prefix_cache.hpp"
#include "step.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::simulator {

struct action {
    enum class kind {
        send,   ///< `bytes`
        pause,  ///< for `time`
        stall,  ///< until the client goes
        reset,  ///< RST
        close,  ///< FIN
        doom,   ///< RST when the next byte arrives
    };
    kind what = kind::send;
    std::string bytes;
    std::chrono::microseconds time{0};
};

struct delivery {
    std::string hold;  ///< non-empty: nothing happens before this gate is released
    std::chrono::microseconds latency{0};
    std::vector<action> actions;
    bool keep_alive = true;
    int status = 0;                    ///< for the counters; 0: nothing of an answer was planned
    bool is_message = false;           ///< counts as in flight
    std::vector<cache_write> written;  ///< to be published when the first byte goes out
};

/// An HTTP answer before any fault.
struct reply {
    int status = 200;
    std::string head;  ///< status line and header lines, each with CRLF, without the empty line
    struct piece {
        std::chrono::microseconds before{0};
        std::string bytes;
    };
    std::vector<piece> body;  ///< one piece, or a stream's
    bool chunked = false;     ///< otherwise Content-Length is added
};

/// The actions for a reply, with the connection faults of the step (may be null).
[[nodiscard]] std::vector<action> plan_actions(reply r, step const* s, random_engine& random,
                                               bool& keep_alive);

/// Applies the changes of a step to header lines.
void change_headers(std::string& lines, std::vector<header_change> const& changes);

}  // namespace engram::simulator
