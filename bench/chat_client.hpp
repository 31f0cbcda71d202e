// The producer's side of a benchmark: pushes chat jobs and checks every reply.
#pragma once

#include "distribution.hpp"
#include "redis_pipe.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::bench {

struct load {
    std::string redis;  ///< as redis_pipe has it
    std::string prefix = "engram";
    std::string run;  ///< begins the ids of this run's jobs; another one each time
    std::size_t jobs = 1000;
    std::size_t users = 100;
    std::size_t sessions = 200;    ///< job n belongs to session n % sessions, which belongs to user s % users
    std::size_t window = 64;       ///< closed loop: so many jobs unanswered at a time
    double rate = 0;               ///< open loop if above 0: jobs a second, whatever comes back
    std::size_t memory_every = 0;  ///< every so-many-th message states something to remember; 0: none
    std::size_t message_bytes = 80;     ///< about
    std::chrono::seconds patience{60};  ///< without any reply, before the run is given up
};

/// One run. What it does to Redis: two connections; LPUSH, a round trip a job, pipelined; PSUBSCRIBE for the
/// replies, so that a reply costs this side no command. In the closed loop the latency of a job begins when
/// it is pushed, in the open loop when it was due, so that a stall is counted against all jobs that it held
/// up.
class chat_client {
public:
    explicit chat_client(load of);

    /// Returns when every job was answered or patience came to an end. Throws std::runtime_error.
    void run();

    /// What the run came to. "good" is false unless every job got exactly one reply, that reply was ok and
    /// its own, and the replies of each session came in the order of the jobs.
    [[nodiscard]] boost::json::object result();

private:
    using clock = std::chrono::steady_clock;
    struct job {
        clock::time_point begun;
        bool answered = false;
    };

    void subscribe();
    void push_due(clock::time_point now);
    void push(clock::time_point begun);
    [[nodiscard]] clock::duration longest_wait(clock::time_point now) const;
    void turn(clock::duration wait);
    void take_message(redisReply const& message);
    void take_reply(std::string_view channel, std::string_view text, clock::time_point now);
    [[nodiscard]] char const* fault_of(std::size_t n, boost::json::object const& reply) const;
    void note_fault(std::string const& fault, std::string_view text);
    void note_order(std::size_t n);
    void note_timing(boost::json::object const& reply);
    [[nodiscard]] std::string body_of(std::size_t n) const;
    [[nodiscard]] clock::time_point due(std::size_t n) const;

    load const of_;
    std::string const channel_prefix_;
    redis_pipe pushing_;
    redis_pipe listening_;
    bool subscribed_ = false;
    std::vector<job> jobs_;                     // those pushed, by number
    std::vector<std::size_t> next_of_session_;  // 1 + the newest job answered
    std::size_t answered_ = 0;
    std::size_t good_ = 0;
    std::size_t memories_ = 0;
    std::size_t most_in_flight_ = 0;
    clock::time_point started_;
    clock::time_point ended_;
    distribution latency_;
    std::map<std::string, std::size_t> faults_;
    std::string example_;                      // the first wrong reply
    std::map<std::string, double> timing_ms_;  // summed up, of the replies' timing_ms
};

}  // namespace engram::bench
