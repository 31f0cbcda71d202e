#include "embedding/rest.hpp"

#include <algorithm>

namespace engram::embedding {

bool rest::may_ask(base::steady_time now) {
    if (failures_ == 0) return true;
    if (trying_ || now < until_) return false;
    trying_ = true;
    return true;
}

bool rest::succeeded() {
    bool const ended = failures_ > 0;
    failures_ = 0;
    trying_ = false;
    return ended;
}

bool rest::failed(base::steady_time began, base::steady_time now) {
    if (failures_ > 0 && began <= since_) return false;
    constexpr unsigned most_doublings = 6;  // 64 s: beyond the longest rest
    auto const pause = shortest_rest * (1U << std::min(failures_, most_doublings));
    trying_ = false;
    since_ = now;
    until_ = now + std::min(pause, longest_rest);
    return failures_++ == 0;
}

}  // namespace engram::embedding
