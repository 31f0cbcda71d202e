// Everything the simulator knows and remembers. One thread; must outlive the connections.
#pragma once

#include "latency.hpp"
#include "models.hpp"
#include "options.hpp"
#include "prefix_cache.hpp"
#include "rate_limits.hpp"
#include "recorder.hpp"
#include "script.hpp"
#include "waiting_room.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace engram::simulator {

struct statistics {
    std::uint64_t requests = 0;  ///< all under /v1
    std::uint64_t messages = 0;  ///< POST /v1/messages since the last reset, those never read included
    std::uint64_t in_flight = 0;
    std::uint64_t max_in_flight = 0;
    std::uint64_t connections = 0;  ///< accepted
    std::uint64_t open_connections = 0;
    std::uint64_t resets = 0;
    std::map<int, std::uint64_t> by_status;
};

/// What has become of the models since: those that are gone, and when others end.
struct model_changes {
    std::set<std::string> gone;                  ///< full ids, or names that nobody knows
    std::map<std::string, std::string> retires;  ///< full id -> RFC 3339

    static std::string full_id(std::string_view name) {
        auto const* known = find_model(name);
        return std::string(known ? known->full_id : name);
    }
    [[nodiscard]] bool is_gone(std::string_view name) const {
        return !gone.empty() && gone.contains(full_id(name));
    }
};

struct world {
    explicit world(simulator::options o)
        : options(std::move(o)), random(options.seed), recorder(options.record), limits(options.rates) {
        script.set_faults(options.faults);
        script.append(options.script);
        reset_models();
    }
    void reset_models() {
        models = {};
        for (auto const& name : options.gone)
            models.gone.insert(model_changes::full_id(name));
    }

    simulator::options options;
    random_engine random;
    simulator::script script;
    simulator::recorder recorder;
    prefix_cache cache;
    model_changes models;
    rate_limits limits;
    waiting_room room;
    statistics stats;
    std::uint64_t next_id = 1;

    /// "req_sim0000000000000001": told apart from real ones at sight.
    [[nodiscard]] std::string new_id(std::string_view prefix) {
        static constexpr char hex[] = "0123456789abcdef";
        std::string id(prefix);
        id += "sim";
        auto const n = next_id++;
        for (int shift = 60; shift >= 0; shift -= 4)
            id += hex[(n >> shift) & 15];
        return id;
    }

    void count_message() {
        ++stats.messages;
        room.count_reached(stats.messages);
    }
};

}  // namespace engram::simulator
