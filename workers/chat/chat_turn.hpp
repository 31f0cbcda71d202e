// The chat turn: a delivered job becomes an answer and a memory.
//
// What a turn is in the middle of. A failure, a cancelled job, or one that has its outcome already leads from
// every stage to `ended`.
//
//   stage       what goes on                                        then
//   loading     what is known about the user is read                asking
//   asking      the prompt is with Claude; nothing else is kept     committing; loading, with less, if it was
//                                                                   too long for the model
//   committing  the answer and its notes are stored                 ended; loading, if something that the
//                                                                   prompt held was erased meanwhile
//   ended       the reply has the outcome, or when the job is tried again, or neither: it is given back
#pragma once

#include "base/clock.hpp"
#include "base/repeated.hpp"
#include "claude/client.hpp"
#include "claude/gate.hpp"
#include "embedding/client.hpp"
#include "queue/job_queue.hpp"
#include "store/conversations.hpp"
#include "store/health.hpp"
#include "store/patience.hpp"
#include "workers/chat/chat_job.hpp"
#include "workers/chat/delay.hpp"
#include "workers/chat/note_limits.hpp"
#include "workers/chat/replies.hpp"
#include "workers/chat/time_zones.hpp"
#include "workers/chat/window.hpp"
#include "workers/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

/// How a turn finds what has to do with its message.
struct finding {
    embedding::embedder* embedder = nullptr;  ///< null: by words alone
    std::chrono::milliseconds embedding_timeout{250};
};

/// Answers jobs: load, compose, ask, read the notes, commit, reply. One object serves all jobs; everything it
/// refers to must outlive it. All calls from one executor.
class chat_turn {
public:
    /// Told after each commit: the conversation and what no summary of it covers.
    using after_commit = std::function<void(store::conversation const&, window)>;

    chat_turn(job_rules rules, chat_options options, finding finding, store::conversations& store,
              claude::asker& claude, claude::gate& gate, base::clock const& clock, after_commit after_commit,
              boost::asio::any_io_executor executor);

    /// Tells `health` what the store says, and heeds it: while it is shut nothing is asked and jobs go back;
    /// no job ends because the database is damaged, as long as there is patience for it. Without it a damaged
    /// store is an error as any other. Must outlive this.
    void watch(store::health& health) { health_ = &health; }

    /// Ends the job, or puts it off because something failed for a reason that passes, or does neither if the
    /// job is to be given back. `reply` must outlive the call. Throws on cancellation.
    boost::asio::awaitable<void> answer(queue::delivery delivery, queue::reply_stream& reply);

    /// Why the store cannot be used; empty if it can.
    [[nodiscard]] std::string const& store_trouble() const { return patience_.trouble(); }

    /// What was left out of the notes of all answers.
    [[nodiscard]] note_counts const& counts() const { return counts_; }

    /// For the turns that begin from now on.
    void set_options(chat_options options) { options_ = std::move(options); }

private:
    enum class stage { loading, asking, committing, ended };
    struct turn;

    boost::asio::awaitable<void> refuse(std::unique_ptr<turn> turn, std::string why);
    boost::asio::awaitable<void> take_turn(std::unique_ptr<turn> turn);
    [[nodiscard]] chat_options const& options_of(turn const& turn) const;
    boost::asio::awaitable<void> find_zone(turn& turn);
    boost::asio::awaitable<void> embed_message(turn& turn);
    boost::asio::awaitable<void> load(turn& turn);
    boost::asio::awaitable<void> check_loaded(turn& turn);
    boost::asio::awaitable<void> rehearse(turn& turn);
    [[nodiscard]] store::context_query what_to_load(turn const& turn) const;
    [[nodiscard]] bool was_forgotten(turn const& turn) const;
    static void keep_to_judge_notes(turn& turn, store::context const& context);
    [[nodiscard]] claude::request compose(turn& turn) const;
    boost::asio::awaitable<void> take_answer(turn& turn, claude::result<claude::answer> answered);
    boost::asio::awaitable<void> commit(turn& turn, claude::answer answer);
    boost::asio::awaitable<store::exchange> make_exchange(turn const& turn, claude::answer const& answer);
    /// How many are about memories that were not shown.
    std::size_t limit_notes(turn const& turn, std::vector<memory_tag>& tags);
    void finish_timing(turn& turn, base::steady_time commit_begun) const;
    void end_answered(turn& turn, claude::answer const& answer, store::commit_outcome committed,
                      std::size_t notes);
    static void end_cancelled(turn& turn);
    boost::asio::awaitable<void> end_recorded(turn& turn, store::recorded_outcome recorded);
    boost::asio::awaitable<void> end_refused(turn& turn, claude::error error);
    [[nodiscard]] bool shrink(turn& turn, claude::error const& why) const;
    boost::asio::awaitable<void> try_later(turn& turn, claude::error error);
    [[nodiscard]] next_try plan(turn const& turn, std::optional<std::chrono::milliseconds> wish) const;
    boost::asio::awaitable<void> put_off(turn& turn, std::string reason,
                                         std::optional<std::chrono::milliseconds> wish, turn_failure why);
    boost::asio::awaitable<void> let_others_try(turn& turn, claude::error error);
    boost::asio::awaitable<void> end_unstored(turn& turn, store::error error, std::string_view what);
    boost::asio::awaitable<void> fail(turn& turn, turn_failure why);

    job_rules rules_;
    chat_options options_;
    finding finding_;
    store::conversations& store_;
    claude::asker& claude_;
    claude::gate& gate_;
    base::clock const& clock_;
    after_commit after_commit_;
    boost::asio::any_io_executor executor_;
    store::patience patience_;
    store::health* health_ = nullptr;  // null: nobody watches
    time_zones zones_;
    base::repeated unreadable_zones_;
    note_counts counts_;
};

}  // namespace engram::workers
