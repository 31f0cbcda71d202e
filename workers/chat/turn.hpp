// One job on its way through a chat turn; what chat_turn's own files share.
#pragma once

#include "workers/chat/chat_turn.hpp"
#include "workers/chat/given_notes.hpp"
#include "workers/chat/notes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engram::workers {

struct chat_turn::turn {
    chat_job job;
    stage at = stage::loading;
    int tries = 0;
    time_zone const* zone = nullptr;           // the user's
    std::optional<queue::settlement> settled;  // at its end; none: the job is given back
    base::steady_time asked_at;
    std::uint64_t asked_in = 0;  // the gate's period
    queue::reply_timing timing;
    store::context context;               // until it is in a prompt
    std::optional<store::erasures> seen;  // as the context had it; none: nothing was loaded yet
    std::string vector;                   // of the message; empty: none
    std::string answered;                 // the earlier answers found for the message
    std::string said;                     // if there are any, what else the user said in the prompt
    std::vector<shown_memory> shown;
    std::unique_ptr<given_notes> given;  // what the prompt holds that looks like a note; null: nothing

    void end(std::optional<queue::settlement> with) {
        settled = std::move(with);
        at = stage::ended;
    }
};

}  // namespace engram::workers
