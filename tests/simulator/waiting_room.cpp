#include "waiting_room.hpp"

#include <algorithm>

namespace engram::simulator {

waiting_room::ticket::ticket(waiting_room& room, std::string gate, boost::asio::steady_timer& timer)
    : room_(room), gate_(std::move(gate)), timer_(timer) {
    place_ = room_.at_gates_.insert(room_.at_gates_.end(), this);
}

waiting_room::ticket::ticket(waiting_room& room, std::uint64_t count, boost::asio::steady_timer& timer)
    : room_(room), count_(count), timer_(timer) {
    place_ = room_.for_count_.insert(room_.for_count_.end(), this);
}

waiting_room::ticket::~ticket() {
    (gate_.empty() ? room_.for_count_ : room_.at_gates_).erase(place_);
}

std::size_t waiting_room::release(std::string_view gate, std::size_t most) {
    std::size_t released = 0;
    for (auto* t : at_gates_) {
        if (released == most) break;
        if (t->released_ || t->gate_ != gate) continue;
        t->released_ = true;
        t->timer_.cancel();
        ++released;
    }
    return released;
}

void waiting_room::release_all_gates() {
    for (auto* t : at_gates_) {
        t->released_ = true;
        t->timer_.cancel();
    }
}

std::size_t waiting_room::held(std::string_view gate) const {
    return static_cast<std::size_t>(
        std::count_if(at_gates_.begin(), at_gates_.end(),
                      [gate](ticket const* t) { return !t->released_ && t->gate_ == gate; }));
}

void waiting_room::count_reached(std::uint64_t count) {
    for (auto* t : for_count_) {
        if (t->released_ || t->count_ > count) continue;
        t->released_ = true;
        t->timer_.cancel();
    }
}

}  // namespace engram::simulator
