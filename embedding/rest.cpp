#include "embedding/rest.hpp"

#include <utility>

namespace engram::embedding {

bool rest::may_ask(base::steady_time now) const {
    return !resting_ || (!trying_ && now >= until_);
}

bool rest::succeeded() {
    pauses_.reset();
    trying_ = false;
    return std::exchange(resting_, false);
}

bool rest::failed(base::steady_time began, base::steady_time now) {
    if (resting_ && began <= since_) return false;
    trying_ = false;
    since_ = now;
    until_ = now + pauses_.next();
    return !std::exchange(resting_, true);
}

}  // namespace engram::embedding
