// What the daemon says of itself: to the other daemons and engramctl through Redis, and to systemd.
#pragma once

#include "claude/admission.hpp"
#include "claude/gate.hpp"
#include "daemon/model_watch.hpp"
#include "queue/job_queue.hpp"
#include "workers/background/summary_status.hpp"
#include "workers/chat/note_limits.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace engram::daemon {

/// Whether Claude is asked; as claude::gate says it.
struct api_status {
    claude::gate::state state = claude::gate::state::open;
    std::string kind;                      ///< of refusal; empty: it is asked
    std::string cause;                     ///< what was met, without a word of a user's
    std::string cure;                      ///< what an operator can do
    std::chrono::milliseconds next_try{};  ///< until one job is tried
};
[[nodiscard]] api_status status_of(claude::gate const& gate, base::steady_time now);

struct status {
    queue::queue_status queue;
    std::string store_trouble;  ///< why the store cannot be used; empty: it can
    api_status api;
    workers::summary_status summaries;
    workers::note_counts notes;
    std::vector<known_model> models;
    std::vector<claude::model_pace> paced;  ///< models whose limit is near
    std::string clock_trouble;              ///< what is wrong with the time; empty: nothing that is known
    std::string store_remark;               ///< what is wrong with the store though jobs are taken
    std::string admin_trouble;              ///< why requests about memories are not answered
    std::string local_lack = {};            ///< of this machine, for which calls to Claude wait
    bool answers_nothing = false;           ///< for want of it
};

/// Jobs are taken, calls are made, and not most of those fail that ended in the last minute.
[[nodiscard]] bool is_ready(status const& now);

/// One of taking, full, paused, draining, cut off, other database.
[[nodiscard]] char const* name_of(queue::intake state);

/// Everything that is wrong, in one line; empty if nothing is.
[[nodiscard]] std::string trouble_of(status const& now);

/// The JSON object that stands at P:status:<instance> (docs/queue.md).
[[nodiscard]] std::string to_json(status const& now);

/// For `systemctl status`: one line.
[[nodiscard]] std::string to_line(status const& now);

}  // namespace engram::daemon
