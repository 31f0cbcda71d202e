// Requests about memories in, answers out: this instance's part in the list P:admin.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/part.hpp"
#include "queue/delivery.hpp"
#include "queue/list_waiter.hpp"
#include "queue/options.hpp"
#include "queue/suspicion.hpp"
#include "redis/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace engram::queue {

/// The end of a request: id, reply_to (empty: there is nobody to tell), reply, dead.
using admin_answer = settlement;

/// Takes one request after the other from P:admin, in order, has it answered, and writes the reply. A request
/// is in P:admin, or in the list of the one instance that answers it (P:admin:taken:<instance>), until its
/// reply is there. What a dead instance had taken is next again: so a request is carried out at least once,
/// and a handler may meet one whose effect is there already. One that ended options.max_deliveries daemons,
/// or whose handler failed as often, is answered with `poisoned` and becomes a dead letter.
///
/// An answer that Redis does not take (proto-max-bulk-len, client-query-buffer-limit) becomes an error, and a
/// request that it does not give (client-output-buffer-limit) is answered with one.
///
/// Taking needs an instance that is registered (job_queue), since it is the heartbeats of the others that
/// bring back what it had. Should this one be taken for dead, what its handler answers after that is dropped.
///
/// All calls from one executor. Must outlive its tasks: stop() before it goes, and before the job_queue
/// drains.
class admin_queue {
public:
    /// The answer to one request, given its bytes. What it throws but for cancellation gives the request back
    /// with a death more.
    using handler = std::function<boost::asio::awaitable<admin_answer>(std::string body)>;

    /// `incarnation` names this instance as it is registered at present: job_queue::instance().
    /// Throws as redis::client.
    admin_queue(options options, std::function<std::string()> incarnation,
                boost::asio::any_io_executor executor);

    void start(handler handler);

    /// No more requests are taken; the one under way may end until `until`, then it is cancelled and goes
    /// back to the front, uncounted. A second call waits for the end too.
    /// Completes even if its caller is cancelled meanwhile. Nothing starts after it.
    boost::asio::awaitable<void> stop(base::steady_time until = {});

    /// Ends a stop() under way, or still to come, at once: the request under way is cancelled and goes back.
    void hurry();

    /// Why nothing is taken; empty if all is well.
    [[nodiscard]] std::string trouble() const;
    /// The same, but empty too while this instance is not registered yet, which is no fault of this list.
    [[nodiscard]] std::string failure() const;
    /// Requests answered so far.
    [[nodiscard]] std::uint64_t answered() const { return answered_; }

private:
    struct request {
        std::string instance;  // that took it
        std::string body;
        unsigned deaths = 0;
    };

    boost::asio::awaitable<void> serve();
    boost::asio::awaitable<std::optional<request>> take();
    boost::asio::awaitable<void> answer(request one);
    boost::asio::awaitable<std::optional<admin_answer>> ask_handler(request const& one, bool& failed);
    [[nodiscard]] admin_answer error_to(request const& one, std::string_view type,
                                        std::string const& message) const;
    [[nodiscard]] admin_answer poisoned(request const& one) const;
    boost::asio::awaitable<void> settle(request const& one, admin_answer outcome);
    boost::asio::awaitable<bool> try_settle(request const& one, admin_answer const& outcome,
                                            suspicion& suspect);
    boost::asio::awaitable<void> release(request const& one, bool failed);
    boost::asio::awaitable<void> pause(std::chrono::milliseconds length);

    options options_;
    std::function<std::string()> incarnation_;
    base::event changed_;
    redis::client connection_;  // of its own, since it blocks on the list
    std::string list_;
    list_waiter waiter_;
    trouble_note trouble_;
    base::backoff pauses_;  // after takes that failed
    handler handler_;

    unsigned losses_ = 0;    // of connections with a delivery on them, since one came
    bool busy_ = false;      // with a request
    bool stopping_ = false;  // take nothing more
    bool hurrying_ = false;  // do not try again to write
    base::steady_time stop_at_ = base::steady_time::max();
    std::uint64_t answered_ = 0;
    base::part connecting_;
    base::part service_;
};

}  // namespace engram::queue
