// The queue's scripts about jobs, as calls.
#pragma once

#include "queue/delivery.hpp"
#include "queue/options.hpp"
#include "queue/pace.hpp"
#include "queue/trouble_note.hpp"
#include "redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::queue {

/// What a call that may take jobs brings.
struct taken_jobs {
    bool alive = true;        ///< false: this instance was taken for dead
    std::size_t moved = 0;    ///< jobs that left P:jobs
    std::size_t refused = 0;  ///< of them, those that were too large to be looked at
    bool more = false;        ///< there may be more to move or to take
    std::vector<delivery> jobs;
};

struct finished_job {
    enum class how {
        late,        ///< another instance has the job, or it was cancelled: nothing was changed
        done,        ///< the reply is stored, or there is nobody to tell
        not_stored,  ///< the reply was published alone, and the job is a dead letter
    };
    how end = how::done;
    std::string refused;  ///< what Redis did not let the script do; empty: nothing
    taken_jobs taken;
};

struct heartbeat {
    std::string instance;
    char kind = '0';       ///< '1': a new instance, '2': the first time at this server
    std::string report;    ///< JSON
    std::string previous;  ///< the instance that it was before; may be empty
};

struct heartbeat_answer {
    bool alive = true;
    std::int64_t taken_back = 0;  ///< lanes of instances that died
    std::int64_t owned = 0;       ///< lanes that Redis counts as this instance's
    std::int64_t woken = 0;       ///< delayed lanes whose time has come
    std::int64_t cancels = 0;     ///< jobs that are to be cancelled
    bool paused = false;          ///< by an operator
};

/// Each is one call of a script (docs/queue.md) and throws on cancellation alone. What it refers to must
/// outlive it. All calls from one executor.
class job_calls {
public:
    template <class T>
    using answer = boost::asio::awaitable<redis::result<T>>;

    job_calls(options const& options, redis::client& connection);

    /// How much a call may bring: no job more once it has `bytes`.
    struct share {
        std::size_t claims = 0, bytes = 0;
    };

    /// `over`: a connection other than the usual one; the same of finish().
    answer<taken_jobs> take(std::string instance, share most, redis::client* over = nullptr);
    /// Writes the outcome, and takes jobs.
    answer<finished_job> finish(delivery const& what, settlement const& outcome, share most,
                                redis::client* over = nullptr);
    /// Gives a delivery back; `failed`: with a death more. Whether it was this instance's.
    answer<bool> release(delivery const& what, bool failed);
    /// Gives a delivery back for later. Whether it was this instance's.
    answer<bool> delay(delivery const& what, postponement const& later);
    /// Gives back all that `instance` owns besides these tickets; returns how many jobs.
    answer<std::int64_t> reconcile(std::string instance, std::vector<std::string> tickets);
    /// The only job that reconcile() would give back cannot be delivered: it becomes a dead letter, and who
    /// waits for it is told. If there are several, nothing happens. Returns how many.
    answer<std::int64_t> refuse(std::string instance, std::vector<std::string> tickets);
    /// Returns how many jobs were given back.
    answer<std::int64_t> leave(std::string instance);
    /// With the error of code `other_database` this instance is not registered (any more), and the rest of
    /// the message says which database serves the queue.
    answer<heartbeat_answer> beat(heartbeat what);
    static constexpr std::string_view other_database = "OTHERDATABASE";
    /// Tells what this instance knows of models that are scarce; returns what it may do, one for each report
    /// and in their order.
    answer<std::vector<pace_grant>> pace(std::string instance, std::vector<pace_report> reports);

    /// As that of the usual connection.
    [[nodiscard]] std::uint64_t generation() const { return connection_.generation(); }
    /// Why jobs are not taken or settled; empty if they are.
    [[nodiscard]] trouble_note& trouble() { return trouble_; }
    [[nodiscard]] trouble_note const& trouble() const { return trouble_; }

private:
    template <class T>
    void note(redis::result<T> const& given, std::string_view doing);
    void append_take_arguments(std::vector<std::string>& arguments, share most);

    options const& options_;
    redis::client& connection_;
    std::string jobs_key_;
    std::string ticket_prefix_;
    std::uint64_t ticket_batches_ = 0;
    trouble_note trouble_{"the queue"};
};

}  // namespace engram::queue
