#include "workers/background/backlog.hpp"

#include <utility>

namespace engram::workers {

bool backlog::add(store::conversation const& which, std::size_t unseen, base::steady_time now, bool by_size) {
    if (auto const found = entries_.find(which); found != entries_.end()) {
        found->second.by_size |= by_size;
        auto& known = found->second.unseen;
        if (unseen > known) unseen_turns_ += unseen - std::exchange(known, unseen);
        return false;
    }
    if (order_.size() >= most_) return false;
    auto const added = entries_.emplace(which, entry{now, unseen, by_size}).first;
    try {
        order_.push_back(&*added);
    } catch (...) {
        entries_.erase(added);  // it would count as waiting for ever
        throw;
    }
    unseen_turns_ += unseen;
    return true;
}

std::optional<store::conversation> backlog::take() {
    if (order_.empty()) return std::nullopt;
    auto const* const first = order_.front();
    auto which = first->first;
    order_.pop_front();
    unseen_turns_ -= first->second.unseen;
    entries_.erase(which);
    return which;
}

std::optional<base::steady_time> backlog::waiting_since() const {
    if (order_.empty()) return std::nullopt;
    return order_.front()->second.since;
}

}  // namespace engram::workers
