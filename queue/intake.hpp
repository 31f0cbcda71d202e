// What an instance does about jobs, and what it does next. Pure.
#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

namespace engram::queue {

/// What an instance does about jobs, for people. It is ready while it is `taking` (jobs were taken lately, or
/// none were there) or `full`. `other_database`: one that is not this instance's serves the queue.
enum class intake { taking, full, paused, draining, cut_off, other_database };

/// Decides when jobs are taken, and how many: is told what happens, says what to do next. The jobs that this
/// instance holds are its places; `limit` bounds them.
///
///   state  | what it means; the first row that fits                      | next()
///   -------+-------------------------------------------------------------+-----------------------------
///   away   | not registered: not yet, or taken for dead                   | rest
///   unsure | Redis may count jobs as ours that we do not hold: an answer  | reconcile; but rest while a
///          | was lost, or came too late for its jobs to be begun          | call that may claim runs
///   ended  | stop() was called                                            | rest
///   at_risk| the lease could not be renewed: others may soon take over    | rest
///   full   | no place is free                                             | rest
///   dry    | the last look found fewer jobs than there were free places   | wait_for_push
///   hungry | none of these                                                | take, as many as are free
///
///   event                         | what it changes
///   ------------------------------+--------------------------------------------------------------------
///   registered()                  | leaves away
///   lost()                        | to away: every place is free, what was unsure or dry is forgotten
///   renewed(passed)               | leaves at_risk, or enters it
///   looked()                      | to dry, if all there was has come; to unsure if ended
///   a claim_call without answer   | to unsure
///   counted(owned)                | to unsure, if Redis counts more jobs as ours than we hold
///   reconciled()                  | leaves unsure, unless a doubt arose since it was asked; leaves dry
///   waited(), more_came()         | leaves dry
///   set_limit()                   | may enter or leave full; leaves dry
///   begun(), a claim_call         | take places, to full when none is left
///   gone(), the call's end        | free them
///   stop()                        | to ended, for good
///
/// A batch may be more than Redis gives (client-output-buffer-limit): each time that the connection is lost
/// with calls that claim on it, calls ask for half as many bytes, down to one job at a time, and after each
/// `trial` without a loss for twice as many. While they ask for little there is one at a time (is_careful()).
/// When single jobs are lost again and again, reconcile says so: `refuse`.
class intake_machine {
public:
    enum class state { away, unsure, ended, at_risk, full, dry, hungry };
    enum class step { rest, reconcile, wait_for_push, take };
    struct action {
        step what = step::rest;
        std::size_t claims = 0;  ///< of `take`
        bool refuse = false;     ///< of `reconcile`: the job that is lost cannot be delivered
    };

    static constexpr std::size_t most_claims_a_call = 128;  // keeps a call well below some milliseconds
    static constexpr std::size_t most_bytes_a_call = std::size_t{8} << 20;   // of jobs that it brings
    static constexpr std::size_t least_batch_bytes = std::size_t{64} << 10;  // below it: one job
    static constexpr unsigned most_losses_alone = 3;  // of single jobs, one after the other
    static constexpr std::chrono::seconds trial{30};  // without a loss; then more is asked for
    /// Redis answers a waiting instance once a second; one that has not for this long is cut off.
    static constexpr std::chrono::milliseconds longest_silence{3'000};

    /// `changed` is called when next() may have become another, but for looked(), begun(), waited() and
    /// reconciled(): who calls those looks again.
    intake_machine(std::size_t limit, std::function<void()> changed);

    void registered(base::steady_time now);
    void lost();
    void renewed(bool passed);
    /// A call that asked for `claims` jobs (more than none) was answered: `found` came, `moved` left P:jobs,
    /// `more` may be there. Whether the jobs are to be begun; if not, they are given back by a
    /// reconciliation.
    bool looked(std::size_t claims, std::size_t found, std::size_t moved, bool more, base::steady_time now);
    void counted(std::int64_t owned);
    /// `doubts`: doubts(), when it was asked.
    void reconciled(std::uint64_t doubts);
    /// The wait for a push is over. `answered`: Redis has said whether there is something.
    void waited(bool answered, base::steady_time now);
    void more_came();
    void set_limit(std::size_t limit);
    void begun(std::string const& ticket);
    void gone(std::string const& ticket);
    /// Redis may count a job as ours that we do not hold.
    void doubt();
    void stop();
    /// What was lost has been refused.
    void refused() { losses_alone_ = 0; }

    [[nodiscard]] state now_in() const;
    [[nodiscard]] action next() const;
    /// How many jobs a call may ask for that ends this one, whose place becomes free. REQUIRES: it is of the
    /// present incarnation.
    [[nodiscard]] std::size_t claims_at_end_of(std::string const& ticket) const;
    /// A call brings no job more once it has so many bytes.
    [[nodiscard]] std::size_t bytes_a_call() const { return bytes_; }
    /// Batches were lost again and again: those that follow go alone.
    [[nodiscard]] bool is_careful() const { return bytes_ <= most_bytes_a_call / 4; }
    /// There are jobs, but as many as allowed are parked: only jobs that end change that.
    [[nodiscard]] bool is_blocked() const { return blocked_; }
    [[nodiscard]] bool is_dry() const { return dry_; }
    [[nodiscard]] bool has_ended() const { return ended_; }
    [[nodiscard]] std::uint64_t doubts() const { return doubts_; }
    [[nodiscard]] std::size_t held() const { return tickets_.size(); }
    [[nodiscard]] std::size_t limit() const { return limit_; }
    [[nodiscard]] std::vector<std::string> tickets() const { return {tickets_.begin(), tickets_.end()}; }
    /// For people. `connected`: Redis answers; `failing`: the last call that takes or settles jobs failed.
    [[nodiscard]] intake report(bool connected, bool failing, base::steady_time now) const;

    class claim_call;

private:
    [[nodiscard]] bool may_take() const;
    [[nodiscard]] std::size_t free() const;
    void cut_off(std::uint64_t cuts, bool alone);

    std::function<void()> changed_;
    std::size_t limit_;
    bool registered_ = false, renewed_ = true, ended_ = false;
    bool dry_ = false, blocked_ = false;
    std::unordered_set<std::string> tickets_;  // of the jobs in hand
    std::size_t reserved_ = 0;                 // places promised to calls under way that may claim
    std::size_t calls_ = 0;                    // how many such calls there are
    std::uint64_t doubts_ = 0, settled_ = 0;
    std::size_t bytes_ = most_bytes_a_call;
    std::uint64_t cuts_ = 0;          // connections lost with calls that claim on them
    unsigned losses_alone_ = 0;       // since a call was answered
    base::steady_time trial_ends_{};  // the epoch: it has not begun
    base::steady_time last_look_{};   // when Redis last said what there is to take
};

/// A call under way that may bring up to `claims` jobs; their places are kept for them. The machine must
/// outlive it.
class intake_machine::claim_call {
public:
    /// `own`: places among them that the call itself frees.
    claim_call(intake_machine& machine, std::size_t claims, std::size_t own);
    ~claim_call();
    claim_call(claim_call const&) = delete;
    claim_call& operator=(claim_call const&) = delete;

    /// Without it the answer is lost: the call was cancelled, or its connection broke.
    void was_answered() { answered_ = true; }
    /// It brings nothing, and says nothing of what was lost before.
    void was_not_sent() { sent_ = false; }
    /// The answer is lost with the connection. `alone`: which was steady, and nobody else used it.
    void was_cut_off(bool alone) {
        cut_off_ = true;
        alone_ = alone;
    }

private:
    intake_machine& machine_;
    std::size_t claims_, reserved_;
    std::uint64_t cuts_;  // when it began
    bool sent_ = true, answered_ = false, cut_off_ = false, alone_ = false;
};

}  // namespace engram::queue
