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
    explicit turn(queue::reply_stream& reply) : reply(reply) {}

    queue::reply_stream& reply;  // gets what becomes of the job
    chat_job job;
    stage at = stage::loading;
    int erasures = 0;                       // how often it began anew because of one
    int shrinks = 0;                        // how often with less
    std::unique_ptr<chat_options> smaller;  // what bounds the prompt since it was too long; null: options_
    bool holds_context = false;             // the prompt that was asked, beside the message
    workers::window window;                 // of it; then of the conversation
    unsigned calls = 0;                     // before the last prompt
    time_zone const* zone = nullptr;        // the user's
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

    void end(queue::settlement with) {
        reply.end(std::move(with));
        at = stage::ended;
    }
    void postpone(queue::postponement later) {
        reply.postpone(std::move(later));
        at = stage::ended;
    }
    void give_back() { at = stage::ended; }
};

}  // namespace engram::workers
