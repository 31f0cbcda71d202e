// What the workers are made with.
#pragma once

#include "workers/categories.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace engram::workers {

struct chat_options {
    std::string model = "claude-opus-5-5";
    std::uint32_t max_tokens = 8192;   ///< of an answer; thinking counts
    std::string effort;                ///< how much the model thinks ("low" to "max"); empty: its own default
    std::size_t memory_limit = 500;    ///< memories in the list at the beginning of a prompt
    std::size_t recent_summaries = 3;  ///< in it, of other conversations, beside those
    std::size_t recall_limit = 10;     ///< memories and earlier turns found for the new message
    std::size_t memory_tokens = 4'000;        ///< of both together, estimated; the least useful ones stay out
    std::size_t own_summary_tokens = 25'000;  ///< of the conversation's own summaries, which are all shown
    std::size_t history_turns = 40;           ///< turns in a prompt, a cap for when summaries lag
    /// Bytes of turns in a prompt; older ones stay out, so that long messages cannot outgrow the model's
    /// context.
    std::size_t history_bytes = 400'000;
    std::size_t max_note_bytes = 2'000;  ///< of one memory that the model notes; a longer one is not kept
    std::size_t max_notes = 20;          ///< of one answer; the others are not kept
    std::string timezone = "UTC";        ///< whose date and time the model is told if the job names no zone
    /// How long a job is tried again whose call fails for a reason that passes; 0: not at all.
    std::chrono::milliseconds retry_for{600'000};
    /// How long after a refusal that concerns every job one of them is tried again.
    std::chrono::milliseconds pause_retry{15'000};
    categories types;
};

struct summary_options {
    bool enabled = true;
    std::string model = "claude-haiku-5-5";
    std::uint32_t max_tokens = 4096;  ///< thinking counts
    std::size_t trigger_turns = 20;
    /// Bytes outside of summaries that make one due as well, however few turns they are.
    std::size_t trigger_bytes = 200'000;
    std::size_t keep_turns = 6;
    std::size_t condense_tokens = 1'500;  ///< room for the summaries of one conversation
    std::size_t workers = 2;              ///< that always run
    std::size_t max_workers = 32;         ///< while more conversations wait; fewer than `workers` adds none
    std::size_t history_turns = 40;       ///< as in chat_options: older turns are in no prompt
    bool delete_turns = false;            ///< delete summarized turns instead of keeping them as an archive
    /// How often the database is searched for sessions whose summary was missed.
    std::chrono::milliseconds sweep{60'000};
    std::chrono::milliseconds timeout{120'000};  ///< one summary, all tries together
};

}  // namespace engram::workers
