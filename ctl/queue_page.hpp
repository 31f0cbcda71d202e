// What `engramctl queue status` shows. Pure.
#pragma once

#include "ctl/queue_delays.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

/// One instance of engramd: what Redis knows of it, and what it says of itself.
struct instance_view {
    std::string name;
    std::optional<std::int64_t> lease_left_ms;  ///< by Redis's clock; not positive: its lease is over
    std::optional<std::int64_t> lanes;          ///< conversations that it owns

    /// From its status; none if it has not said so, or not in this form.
    std::optional<std::string> state, trouble, version, host;
    std::optional<std::int64_t> answered_last_minute, failed_last_minute;
    std::optional<std::string> last_error;
    std::optional<std::int64_t> in_flight, limit, taken, finished, released, delayed, lost, pid;
    std::optional<bool> ready;   ///< whether it answers jobs
    std::optional<bool> paused;  ///< by an operator
    boost::json::value api;      ///< an object: whether it asks Claude, and why not; else null
    boost::json::value models;   ///< an array: the models in use, and when they end; else null
    boost::json::value paced;    ///< an array: the models whose rate limit is near; else null

    [[nodiscard]] bool is_alive() const { return lease_left_ms.value_or(0) > 0; }
    /// One that says nothing counts as ready: it has just begun, say.
    [[nodiscard]] bool is_ready() const { return is_alive() && ready.value_or(true); }
};

/// Takes over what a status, the JSON object that an instance writes, says in a form that can be shown.
void read_status(std::string_view text, instance_view& into);

struct queue_view {
    std::string prefix;
    std::optional<std::int64_t> waiting, parked, dead;  ///< none: not known
    std::vector<instance_view> instances;
    std::optional<delayed_view> delayed = {};  ///< none: not known
    std::optional<pause_note> paused = {};     ///< none: it is not, as far as is known
    std::optional<std::int64_t> now_ms = {};   ///< by Redis's clock, since the epoch

    [[nodiscard]] bool has_living() const;
    /// Jobs are answered: the queue is not paused, and an instance is ready.
    [[nodiscard]] bool is_served() const;
    /// " (host-1: …)": why none is ready of those that are alive; empty: they do not say.
    [[nodiscard]] std::string why_not_served() const;
};

[[nodiscard]] std::string queue_page(queue_view const& view);
[[nodiscard]] boost::json::object queue_document(queue_view const& view);

}  // namespace engram::ctl
