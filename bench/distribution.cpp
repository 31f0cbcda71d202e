#include "distribution.hpp"

#include <algorithm>
#include <numeric>

namespace engram::bench {
namespace {

/// Nearest rank: the smallest sample that at least `share` of all do not exceed. REQUIRES: sorted, not empty.
double at(std::vector<double> const& sorted, double share) {
    auto const rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()) + 0.999999);
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

void distribution::add(std::chrono::steady_clock::duration sample) {
    micros_.push_back(std::chrono::duration<double, std::micro>(sample).count());
}

boost::json::object distribution::to_json() {
    if (micros_.empty()) return {{"mean", 0.0}, {"p50", 0.0}, {"p95", 0.0}, {"p99", 0.0}, {"max", 0.0}};
    std::sort(micros_.begin(), micros_.end());
    auto const sum = std::accumulate(micros_.begin(), micros_.end(), 0.0);
    return {{"mean", sum / static_cast<double>(micros_.size()) / 1000},
            {"p50", at(micros_, 0.50) / 1000},
            {"p95", at(micros_, 0.95) / 1000},
            {"p99", at(micros_, 0.99) / 1000},
            {"max", micros_.back() / 1000}};
}

}  // namespace engram::bench
