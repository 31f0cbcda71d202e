// Everything the simulator knows and remembers. One thread; must outlive the connections.
#pragma once

#include "latency.hpp"
#include "options.hpp"
#include "prefix_cache.hpp"
#include "rate_limits.hpp"
#include "recorder.hpp"
#include "script.hpp"
#include "waiting_room.hpp"

#include <cstdint>
#include <map>
#include <string>

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

struct world {
    explicit world(simulator::options o)
        : options(std::move(o)), random(options.seed), recorder(options.record), limits(options.rates) {
        script.set_faults(options.faults);
        script.append(options.script);
    }

    simulator::options options;
    random_engine random;
    simulator::script script;
    simulator::recorder recorder;
    prefix_cache cache;
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
