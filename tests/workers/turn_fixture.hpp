// A chat turn between a scripted store and a scripted Claude, and a clock that stands still.
#pragma once

#include "claude/gate.hpp"
#include "queue/reply.hpp"
#include "workers/chat/chat_turn.hpp"
#include "workers/scripted.hpp"
#include "workers/set_clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engram::test {

/// A job with the id "1" that says "hello".
extern std::string const job;

/// Of a job that ended in an error: its type. It must be among the dead letters with the same one.
std::string error_of(std::optional<queue::settlement> const& outcome);

struct turn_fixture {
    explicit turn_fixture(workers::finding finding = {}, workers::chat_options options = {});

    /// One delivery, to its end. It was first seen `queued_ms` ago.
    std::optional<queue::settlement> answer(std::string body, std::string ticket = "t-1.1", int deaths = 0,
                                            std::int64_t queued_ms = 0);
    /// The same; `received` is now.
    std::optional<queue::settlement> deliver(queue::delivery delivery);
    /// One that has to be answered.
    queue::settlement answer_well(std::string body = job);
    /// Another delivery of the same push ends it as poisoned while this one waits for Claude.
    std::optional<queue::settlement> answer_while_another_ends_it();

    boost::asio::io_context io;
    boost::asio::steady_timer timer{io};  // so that the loop has its own descriptors
    scripted_claude claude{io.get_executor()};
    scripted_store store;
    set_clock clock;
    std::vector<claude::gate::state> intake;
    claude::gate gate{std::chrono::hours(1), [this](claude::gate::state s) { intake.push_back(s); },
                      io.get_executor()};
    std::vector<std::size_t> considered;           // turns of the windows that after_commit was told of
    std::vector<std::size_t> considered_bytes;     // and their bytes
    std::optional<queue::postponement> postponed;  // what the last delivery asked for; none: it did not
    workers::chat_turn turn;
};

}  // namespace engram::test
