// Where answers wait for a test to release them, and where /control/wait waits for requests to be seen.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

namespace engram::simulator {

/// One thread. Waiting is a timer that is cancelled; the room must outlive its tickets.
class waiting_room {
public:
    /// Keeps its place in the room as long as it lives; `timer` is cancelled when its time has come and must
    /// outlive it.
    class ticket {
    public:
        ticket(waiting_room& room, std::string gate, boost::asio::steady_timer& timer);
        ticket(waiting_room& room, std::uint64_t count, boost::asio::steady_timer& timer);
        ~ticket();
        ticket(ticket const&) = delete;
        ticket& operator=(ticket const&) = delete;

        [[nodiscard]] bool released() const { return released_; }

    private:
        friend class waiting_room;
        waiting_room& room_;
        std::string gate_;
        std::uint64_t count_ = 0;
        boost::asio::steady_timer& timer_;
        bool released_ = false;
        std::list<ticket*>::iterator place_;
    };

    /// Releases those who wait at the gate now, the first come first, at most `most`; returns how many.
    std::size_t release(std::string_view gate, std::size_t most);
    void release_all_gates();
    [[nodiscard]] std::size_t held(std::string_view gate) const;
    [[nodiscard]] std::size_t held_everywhere() const { return at_gates_.size(); }

    /// Tells the room how many requests have been seen.
    void count_reached(std::uint64_t count);

private:
    std::list<ticket*> at_gates_;
    std::list<ticket*> for_count_;
};

}  // namespace engram::simulator
