// What a handler answers a job with. Pure.
#pragma once

#include "queue/delivery.hpp"

#include <optional>
#include <utility>

namespace engram::queue {

/// The reply to one delivery. The queue makes it, hands it to the handler, and outlives the handler's call;
/// what the handler has said is written to Redis by the queue, so a handler knows no keys but the reply's.
class reply_stream {
public:
    reply_stream() = default;
    reply_stream(reply_stream const&) = delete;
    reply_stream& operator=(reply_stream const&) = delete;

    /// How the job ends. Once a delivery, as the handler's last act; a handler that returns without it gives
    /// the job back.
    void end(settlement outcome) { end_ = std::move(outcome); }

    /// For the queue: the end, if there was one.
    [[nodiscard]] std::optional<settlement> const& ended() const { return end_; }

private:
    std::optional<settlement> end_;
};

}  // namespace engram::queue
