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

    /// How the job ends. Once a delivery, as the handler's last act; a handler that returns without it or
    /// postpone() gives the job back.
    void end(settlement outcome) { end_ = std::move(outcome); }

    /// The job waits for `later.pause` and is delivered again then, to whichever daemon; it holds no place
    /// meanwhile. In place of end(), as the handler's last act.
    void postpone(postponement later) { later_ = std::move(later); }

    /// For the queue: the end, if there was one.
    [[nodiscard]] std::optional<settlement> const& ended() const { return end_; }
    [[nodiscard]] std::optional<postponement> const& postponed() const { return later_; }

private:
    std::optional<settlement> end_;
    std::optional<postponement> later_;
};

}  // namespace engram::queue
