// Calls that may be more than Redis takes, one at a time.
#pragma once

#include "base/event.hpp"
#include "base/part.hpp"
#include "redis/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace engram::queue {

/// A connection for payloads that are under suspicion: if it is lost, nobody else's commands are, and it is
/// known whose fault it was. It is made when it is needed for the first time. All calls from one executor;
/// must outlive its callers.
class large_calls {
public:
    /// Its end: the next one's turn.
    class turn {
    public:
        explicit turn(large_calls& of) : of_(&of) {}
        turn(turn&&) = default;
        turn& operator=(turn&&) = default;

        [[nodiscard]] redis::client& connection() const { return of_->connection_; }

    private:
        struct end {
            void operator()(large_calls* of) const { of->next(); }
        };
        std::unique_ptr<large_calls, end> of_;
    };

    /// `tasks`, which keep the connection up, are stopped by their owner. Throws as redis::client.
    large_calls(redis::options server, boost::asio::any_io_executor executor, base::part& tasks);

    /// Waits for a turn, and then until the connection is steady (redis::client). None: not until then.
    boost::asio::awaitable<std::optional<turn>> wait(base::steady_time until);

    /// Why there is no connection; empty if there is one, or nobody has asked for one yet.
    [[nodiscard]] std::string trouble() const { return begun_ ? connection_.trouble() : std::string(); }

private:
    void next();

    redis::client connection_;
    base::event free_;
    base::part& tasks_;
    bool begun_ = false, busy_ = false;
};

}  // namespace engram::queue
