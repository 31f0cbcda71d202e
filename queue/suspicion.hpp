// Which payloads Redis will never take, and what is sent instead. Pure.
#pragma once

#include "base/clock.hpp"
#include "queue/delivery.hpp"
#include "redis/value.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace engram::queue {

/// Nothing smaller that is sent is ever blamed for a lost connection: the least limits that Redis has for it
/// are far above. Those for what it gives may be lower.
inline constexpr std::size_t least_suspicious_bytes = std::size_t{64} << 10;
/// So often a payload is lost alone, on a connection that was steady before, until it is given up. A
/// connection that is cut for another reason would have to be cut in those few moments each time.
inline constexpr unsigned most_losses_alone = 3;

/// What is known of one payload that has to reach Redis.
class suspicion {
public:
    /// `known`: one that is no longer was given up lately, so that this one goes alone from the first try on,
    /// and one loss is proof.
    explicit suspicion(std::size_t bytes, bool known = false)
        : bytes_(bytes), losses_left_(known ? 1 : most_losses_alone), goes_alone_(known) {}

    /// A try has failed. `alone`: nothing else was on the connection, and it was steady.
    void failed(redis::error const& error, bool alone);

    /// From now on it goes over a connection that nobody else uses.
    [[nodiscard]] bool goes_alone() const { return goes_alone_; }
    /// Redis does not take it.
    [[nodiscard]] bool is_proven() const { return proven_; }

private:
    std::size_t bytes_;
    unsigned losses_left_;
    bool goes_alone_;
    bool proven_ = false;
};

/// Which sizes Redis did not take lately. All of it is forgotten with a new connection (`generation`), since
/// it may be to another server or to one with other limits, and after `memory`, since limits change while a
/// server runs.
class refused_sizes {
public:
    static constexpr std::chrono::minutes memory{5};

    void refused(std::size_t bytes, std::uint64_t generation, base::steady_time now);
    void passed(std::size_t bytes);
    /// Whether one that is no longer was refused.
    [[nodiscard]] bool knows(std::size_t bytes, std::uint64_t generation, base::steady_time now) const;

private:
    std::size_t from_ = std::numeric_limits<std::size_t>::max();
    std::uint64_t generation_ = 0;
    base::steady_time at_{};
};

/// What is told of a payload (`what`: "the reply") that Redis does not take.
[[nodiscard]] std::string too_large_text(std::string_view what, std::size_t bytes);

/// The same end with a short error reply in place of the reply, and a dead letter. id, user, session,
/// attempts and short metadata are those of the reply.
[[nodiscard]] settlement without_reply(settlement const& outcome);

}  // namespace engram::queue
