// Waiting for a list in Redis without taking from it.
#pragma once

#include "base/event.hpp"
#include "queue/trouble_note.hpp"
#include "redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace engram::queue {

/// Says when a list has something; taking it is left to a script, which decides in the same step whether this
/// instance may. `connection` is blocked meanwhile, so it serves nothing else that is in a hurry. It must
/// outlive this.
class list_waiter {
public:
    enum class outcome {
        pushed,  ///< the list has something
        quiet,   ///< it has not, but Redis answers
        failed,  ///< Redis did not say; looking again and again does instead
    };

    /// How long something that another daemon gave back may go unseen.
    static constexpr std::chrono::milliseconds longest_wait{1'000};

    /// `whose` and `doing` are for the log ("the queue", "waiting for jobs") and must live as long.
    list_waiter(redis::client& connection, std::string list, std::string_view whose, std::string_view doing);

    /// Returns when the list has something, or after `longest_wait`. If it cannot be waited for, after a
    /// pause, which `sooner` ends.
    boost::asio::awaitable<outcome> wait(base::event& sooner);

    /// Why it cannot be waited for; empty if it can.
    [[nodiscard]] trouble_note& trouble() { return trouble_; }
    [[nodiscard]] trouble_note const& trouble() const { return trouble_; }

private:
    redis::client& connection_;
    std::string list_;
    std::string_view doing_;
    trouble_note trouble_;
};

}  // namespace engram::queue
