// Jobs in, answers out: this instance's part in the queue that all daemons share. The protocol is in
// docs/queue.md.
#pragma once

#include "base/event.hpp"
#include "base/part.hpp"
#include "base/task_group.hpp"
#include "queue/cancel_list.hpp"
#include "queue/dead_bound.hpp"
#include "queue/delivery.hpp"
#include "queue/intake.hpp"
#include "queue/job_calls.hpp"
#include "queue/large_calls.hpp"
#include "queue/lease.hpp"
#include "queue/list_waiter.hpp"
#include "queue/options.hpp"
#include "queue/outcomes.hpp"
#include "queue/reply_stream.hpp"
#include "queue/settler.hpp"
#include "redis/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::queue {

struct queue_status {
    intake state = intake::cut_off;
    std::size_t in_flight = 0;
    std::size_t limit = 0;
    bool paused = false;  ///< by an operator
    bool connected = false;
    std::string trouble;  ///< why nothing is taken; empty if all is well
    std::string instance;
    std::uint64_t taken = 0, finished = 0, released = 0, lost = 0;
    std::uint64_t delayed = 0;       ///< deliveries put off for later
    std::uint64_t dead_dropped = 0;  ///< dead letters, to keep the bound
    std::uint64_t answered = 0;      ///< of those finished: without a dead letter
    recent_outcomes recent;          ///< of the last minute
};

/// Takes jobs while there is room, hands each to the handler in a task of its own, and writes the outcome.
/// The jobs of one conversation come one at a time, in order.
///
/// What does it: `intake_machine` decides when jobs are taken and holds the tickets of those in hand, `lease`
/// is this instance's name and life, `settler` writes outcomes, `job_calls` are the scripts. A delivery is in
/// one of: running (a handler has it), settling (its outcome is being written), gone; the machine holds the
/// tickets of exactly those that are running or settling.
///
/// All calls from one executor. Must outlive its tasks: drain() before it goes.
class job_queue {
public:
    /// Answers a job through its reply, or puts it off, or gives it back untouched by returning without
    /// either. It should not throw but for cancellation: a job whose handler was cancelled goes back, one
    /// whose handler failed, even before it began, goes back with a death more. The reply lives until the
    /// handler has returned.
    using handler = std::function<boost::asio::awaitable<void>(delivery, reply_stream&)>;

    /// What this instance says of itself to the others: JSON, asked with each renewal of its lease.
    using report = std::function<std::string()>;

    /// Throws as redis::client.
    job_queue(options options, boost::asio::any_io_executor executor);

    /// As dead_bound says it; before start().
    void trust(dead_bound::present_time now) { dead_.trust(std::move(now)); }

    /// Starts the connections and the taking of jobs. After drain() nothing.
    void start(handler handler, report report = {});

    /// No more jobs are taken; those under way may end until `until`, then they are cancelled and given back.
    /// Returns when this instance has left the queue, or could not in time (then its lease ends by itself). A
    /// second call waits for the end of the first. Completes even if its caller is cancelled meanwhile.
    boost::asio::awaitable<void> drain(base::steady_time until);

    /// Ends a drain() under way, or still to come, at once: what runs is cancelled and given back.
    void hurry();

    /// The most jobs to hold, at most options.max_in_flight: 0 pauses, 1 is a trial. Jobs in hand stay. While
    /// an operator has paused the queue none are taken, whatever it is.
    void set_limit(std::size_t limit);

    /// Tells the other daemons what this one knows of models that are scarce, and returns what it may do
    /// until the next time, one grant for each report and in their order. At most once a second, and only
    /// while there is something to tell. While this instance is not registered it is as without Redis: an
    /// error of kind disconnected. Throws on cancellation alone.
    boost::asio::awaitable<redis::result<std::vector<pace_grant>>> share_pace(
        std::vector<pace_report> reports);

    /// By Redis's clock; none: it does not answer. Throws on cancellation alone.
    boost::asio::awaitable<std::optional<base::wall_time>> server_time();

    [[nodiscard]] queue_status status() const;
    /// Resumes when this instance is registered in Redis for the first time, or at `until`: whether it is.
    boost::asio::awaitable<bool> wait_until_ready(base::steady_time until);
    [[nodiscard]] redis::client& connection() { return commands_; }
    [[nodiscard]] std::string const& instance() const { return lease_.instance(); }

private:
    boost::asio::awaitable<void> keep_alive();
    boost::asio::awaitable<void> heed(lease::beat beat);
    void heed_pause(bool paused);
    void apply_limit();
    void tell_of_refused_writes(queue_status& status) const;
    boost::asio::awaitable<void> bound_dead_letters();
    boost::asio::awaitable<void> cancel_jobs();
    boost::asio::awaitable<void> take_jobs();
    boost::asio::awaitable<void> take_some(std::size_t claims);
    boost::asio::awaitable<void> wait_for_push();
    boost::asio::awaitable<redis::result<taken_jobs>> take(std::string instance, std::size_t claims,
                                                           intake_machine::claim_call& call);
    boost::asio::awaitable<void> reconcile(bool refuse);
    boost::asio::awaitable<bool> refuse_lost();
    void count(settlement const& outcome, finished_job const& how);
    [[nodiscard]] std::vector<delivery> accept(taken_jobs taken, std::size_t claims);
    [[nodiscard]] std::optional<delivery> begin(delivery what);
    void lose_everything(std::string_view why);
    boost::asio::awaitable<void> run_job(delivery what);
    boost::asio::awaitable<void> finish(delivery const& what, settlement const& outcome);
    boost::asio::awaitable<void> postpone(delivery const& what, postponement const& later);
    boost::asio::awaitable<void> give_back(delivery const& what, bool failed);
    boost::asio::awaitable<void> give_back_unbegun(delivery const& one);

    options options_;
    base::event changed_;  // room, limit, connection, draining: look again
    base::event ready_;    // registered
    base::event cancel_asked_;
    redis::client commands_;
    redis::client waiting_;  // blocks on the list, so it needs a connection of its own
    large_calls large_;
    job_calls calls_;
    lease lease_;
    intake_machine intake_;
    list_waiter waiter_;
    settler settler_;
    dead_bound dead_;
    cancel_list cancels_;
    handler handler_;
    report report_;
    std::size_t wanted_limit_;
    bool paused_ = false;  // by an operator
    base::steady_time drain_until_ = base::steady_time::max();
    bool left_ = false;  // the drain is over
    queue_status counts_;
    outcome_counts outcomes_;
    base::part services_;
    base::task_group jobs_;
};

}  // namespace engram::queue
