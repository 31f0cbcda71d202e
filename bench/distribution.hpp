// Latencies, collected and told as percentiles.
#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace engram::bench {

class distribution {
public:
    void reserve(std::size_t samples) { micros_.reserve(samples); }
    void add(std::chrono::steady_clock::duration sample);
    [[nodiscard]] std::size_t size() const { return micros_.size(); }

    /// {"mean":…,"p50":…,"p95":…,"p99":…,"max":…} in ms; all 0 without a sample. Sorts what was collected.
    [[nodiscard]] boost::json::object to_json();

private:
    std::vector<double> micros_;
};

}  // namespace engram::bench
