#include "queue/outcomes.hpp"

#include <chrono>
#include <utility>

namespace engram::queue {

namespace {

constexpr std::chrono::seconds length{5};  // of a piece

std::int64_t number_of(base::steady_time now) {
    return now.time_since_epoch() / length;
}

}  // namespace

outcome_counts::piece& outcome_counts::at(base::steady_time now) {
    auto const number = number_of(now);
    auto& found = pieces_[std::size_t(number) % pieces_.size()];
    if (found.number != number) found = {number};
    return found;
}

void outcome_counts::answered(base::steady_time now) {
    ++at(now).ok;
}

void outcome_counts::failed(std::string why, base::steady_time now, std::uint32_t count) {
    at(now).failed += count;
    last_error_ = std::move(why);
}

void outcome_counts::delayed(std::string why, base::steady_time now) {
    ++at(now).delayed;
    last_delay_ = std::move(why);
}

recent_outcomes outcome_counts::recent(base::steady_time now) const {
    auto const oldest = number_of(now) - std::int64_t(pieces_.size());
    recent_outcomes sum;
    for (auto const& one : pieces_) {
        if (one.number <= oldest) continue;
        sum.ok += one.ok;
        sum.failed += one.failed;
        sum.delayed += one.delayed;
    }
    if (sum.failed > 0) sum.last_error = last_error_;
    if (sum.delayed > 0) sum.last_delay = last_delay_;
    return sum;
}

}  // namespace engram::queue
