// Jobs in, answers out: this instance's part in the queue that all daemons share. The protocol is in
// docs/queue.md.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/task_group.hpp"
#include "queue/options.hpp"
#include "redis/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace engram::queue {

/// One job in this instance's hands.
struct delivery {
    std::string instance;  ///< the incarnation that took it
    std::string lane;
    std::string ticket;  ///< names this push of the job; the same for each redelivery
    std::string body;    ///< the producer's bytes
    int attempts = 1;    ///< deliveries of this ticket, this one included
    int deaths = 0;      ///< of them, how many ended with a daemon's death or stall, or a handler that failed
    std::int64_t queued_ms = 0;    ///< since a daemon first saw the job, by Redis's clock
    base::steady_time received{};  ///< when it came into this process's hands
};

struct dead_letter {
    std::string reason;  ///< an error.type of the contract
    std::string message;
};

/// The end of a job.
struct settlement {
    std::string id;        ///< of the job; may be empty
    std::string reply_to;  ///< empty: there is nobody to tell
    std::string reply;     ///< JSON
    std::optional<dead_letter> dead;
};

/// What an instance does about jobs. It is ready while it is `taking` (jobs were taken lately, or none were
/// there) or `full`.
enum class intake { taking, full, paused, draining, cut_off };

struct queue_status {
    intake state = intake::cut_off;
    std::size_t in_flight = 0;
    std::size_t limit = 0;
    bool connected = false;
    std::string trouble;  ///< why nothing is taken; empty if all is well
    std::string instance;
    std::uint64_t taken = 0, finished = 0, released = 0, lost = 0;
};

/// Takes jobs while there is room, hands each to the handler in a task of its own, and writes the outcome.
/// The jobs of one conversation come one at a time, in order.
///
/// A delivery is in one of: running (a handler has it), settling (its outcome is being written, tried again
/// until Redis takes it), gone. `in_flight_` holds exactly the deliveries that are running or settling.
///
/// All calls from one executor. Must outlive its tasks: drain() before it goes.
class job_queue {
public:
    /// What a handler returns: the outcome, or nothing to give the job back untouched. It should not throw
    /// but for cancellation: a job whose handler was cancelled goes back, one whose handler failed goes back
    /// with a death more.
    using handler = std::function<boost::asio::awaitable<std::optional<settlement>>(delivery)>;

    /// What this instance says of itself to the others: JSON, asked with each renewal of its lease.
    using report = std::function<std::string()>;

    /// Throws as redis::client.
    job_queue(options options, boost::asio::any_io_executor executor);

    /// Starts the connections and the taking of jobs.
    void start(handler handler, report report = {});

    /// No more jobs are taken; those under way may end until `until`, then they are cancelled and given back.
    /// Returns when this instance has left the queue, or could not in time (then its lease ends by itself).
    boost::asio::awaitable<void> drain(base::steady_time until);

    /// Ends a drain() under way at once: what runs is cancelled and given back.
    void hurry();

    /// The most jobs to hold, at most options.max_in_flight: 0 pauses, 1 is a trial. Jobs in hand stay.
    void set_limit(std::size_t limit);

    [[nodiscard]] queue_status status() const;
    /// Resumes when this instance is registered in Redis for the first time, or at `until`: whether it is.
    boost::asio::awaitable<bool> wait_until_ready(base::steady_time until);
    [[nodiscard]] redis::client& connection() { return commands_; }
    [[nodiscard]] std::string const& instance() const { return incarnation_; }

private:
    static constexpr std::size_t most_claims_a_call = 128;  // keeps a call well below some milliseconds
    // How long a lane that another daemon gave back may go unseen.
    static constexpr std::chrono::milliseconds push_wait{1'000};
    static constexpr std::chrono::milliseconds longest_silence = 3 * push_wait;
    static constexpr std::chrono::milliseconds pause_after_error{250};

    boost::asio::awaitable<void> keep_up(std::string name,
                                         std::function<boost::asio::awaitable<void>()> service);
    boost::asio::awaitable<void> take_jobs();
    boost::asio::awaitable<void> take_some(std::size_t claims);
    boost::asio::awaitable<void> wait_for_push();
    boost::asio::awaitable<void> keep_alive();
    boost::asio::awaitable<void> beat();
    boost::asio::awaitable<void> check_server();
    boost::asio::awaitable<void> reconcile();
    boost::asio::awaitable<void> run_job(delivery what);
    boost::asio::awaitable<void> settle(delivery const& what, settlement outcome);
    [[nodiscard]] std::vector<std::string> finish_arguments(delivery const& what, settlement const& outcome,
                                                            std::size_t claims);
    static void tell_end(delivery const& what, settlement const& outcome, std::int64_t finished,
                         std::string const& refused);
    boost::asio::awaitable<bool> try_settle(delivery const& what, settlement const& outcome);
    boost::asio::awaitable<void> release(delivery const& what, bool failed);
    boost::asio::awaitable<void> leave();

    void accept(redis::value& taken, std::size_t claims);
    void begin_incarnation();
    void lose_everything();
    void note_trouble(std::string& trouble, redis::error const& error, std::string_view doing);
    void clear_trouble(std::string& trouble);
    [[nodiscard]] bool may_take() const;
    [[nodiscard]] std::size_t room() const;
    [[nodiscard]] bool unsure() const { return doubts_ != doubts_settled_; }
    [[nodiscard]] intake state() const;
    struct claiming;
    void append_take_arguments(std::vector<std::string>& arguments, std::size_t claims);

    options options_;
    boost::asio::any_io_executor executor_;
    redis::client commands_;
    redis::client waiting_;  // blocks on the list, so it needs a connection of its own
    handler handler_;
    report report_;
    base::task_group services_;
    base::task_group jobs_;

    std::string jobs_key_;
    std::string incarnation_;
    std::string previous_;  // the one before, which others may not know of
    std::string ticket_prefix_;
    std::uint64_t ticket_batches_ = 0;
    bool registered_ = false;
    bool draining_ = false;
    bool abandoning_ = false;  // the drain is over: do not try again to write outcomes
    bool leaving_ = false;     // heartbeats no longer matter
    base::steady_time drain_until_{};

    std::size_t limit_;
    std::size_t reserved_ = 0;        // room promised to calls under way that may claim
    std::size_t claiming_calls_ = 0;  // how many such calls there are
    // Redis may count lanes as ours that we do not hold: an answer was lost, or came when nothing is taken
    // any more.
    std::uint64_t doubts_ = 0, doubts_settled_ = 0;
    bool dry_ = false;                           // the last look found less than there was room for
    bool blocked_ = false;                       // … because nothing more may be parked
    base::steady_time last_look_{};              // when Redis last answered what there is to take
    std::unordered_set<std::string> in_flight_;  // tickets of this incarnation
    std::string beat_trouble_, take_trouble_, wait_trouble_;  // why the last call failed; empty: it did not
    std::uint64_t greeted_generation_ = 0;                    // of the connection, when a beat first passed
    std::uint64_t checked_generation_ = 0;                    // of the connection
    std::vector<std::string> risks_;                          // told already
    queue_status counts_;

    base::event changed_;  // room, limit, connection, draining: look again
    base::event ready_;
};

}  // namespace engram::queue
