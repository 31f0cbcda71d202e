// The chat turn: a delivered job becomes an answer and a memory.
#pragma once

#include "base/clock.hpp"
#include "claude/client.hpp"
#include "embedding/client.hpp"
#include "queue/job.hpp"
#include "queue/job_queue.hpp"
#include "queue/reply.hpp"
#include "store/conversations.hpp"
#include "store/patience.hpp"
#include "workers/chat/api_gate.hpp"
#include "workers/chat/memory_tags.hpp"
#include "workers/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::workers {

/// What a chat turn needs to know of the queue's rules.
struct job_rules {
    std::string prefix;
    std::vector<std::string> reply_prefixes;
    std::size_t max_job_bytes = 262'144;
    std::chrono::milliseconds deadline{600'000};
    int max_deliveries = 3;
};

/// How a turn finds what has to do with its message.
struct finding {
    embedding::embedder* embedder = nullptr;  ///< null: by words alone
    std::chrono::milliseconds embedding_timeout{250};
};

/// Answers jobs: load, compose, ask, extract, commit, reply. One object serves all jobs; everything it refers
/// to must outlive it. All calls from one executor.
class chat_turn {
public:
    /// Told after each commit: the conversation and how many of its turns no summary covers.
    using after_commit = std::function<void(store::conversation const&, std::size_t window_turns)>;

    chat_turn(job_rules rules, chat_options options, finding finding, store::conversations& store,
              claude::asker& claude, api_gate& gate, base::clock const& clock, after_commit after_commit,
              boost::asio::any_io_executor executor);

    /// The outcome of a job, or nothing if it is to be given back. Throws on cancellation.
    boost::asio::awaitable<std::optional<queue::settlement>> answer(queue::delivery delivery);

    /// Why the store cannot be used; empty if it can.
    [[nodiscard]] std::string const& store_trouble() const { return patience_.trouble(); }

    /// For the turns that begin from now on.
    void set_options(chat_options options) { options_ = std::move(options); }

private:
    struct turn;
    [[nodiscard]] std::optional<std::string> begin(turn& turn, queue::delivery delivery) const;
    boost::asio::awaitable<std::optional<queue::settlement>> refuse(std::unique_ptr<turn> turn,
                                                                    std::string why);
    boost::asio::awaitable<std::optional<queue::settlement>> take_turn(std::unique_ptr<turn> turn);
    [[nodiscard]] bool searches() const { return options_.recall_limit > 0; }
    boost::asio::awaitable<void> embed_message(turn& turn);
    boost::asio::awaitable<std::optional<queue::settlement>> load(turn& turn);
    [[nodiscard]] store::context_query what_to_load(turn const& turn) const;
    [[nodiscard]] claude::request compose(turn& turn) const;
    boost::asio::awaitable<std::optional<queue::settlement>> finish(turn& turn,
                                                                    claude::result<claude::answer> answered);
    boost::asio::awaitable<std::optional<queue::settlement>> commit(turn& turn, claude::answer answer);
    [[nodiscard]] store::exchange make_exchange(turn const& turn, claude::answer const& answer) const;
    [[nodiscard]] static bool is_echo(turn const& turn, std::string const& content);
    [[nodiscard]] std::vector<store::new_memory> read_notes(turn const& turn,
                                                            std::vector<memory_tag> tags) const;
    [[nodiscard]] queue::settlement answer_committed(turn const& turn, claude::answer const& answer,
                                                     store::commit_outcome committed, std::size_t notes);
    [[nodiscard]] queue::settlement cancel(turn const& turn) const;
    [[nodiscard]] bool was_forgotten(turn const& turn) const;
    boost::asio::awaitable<queue::settlement> fail(turn const& turn, std::string type, std::string message,
                                                   bool retryable, std::string logged = {});
    boost::asio::awaitable<std::optional<queue::settlement>> fail_call(turn const& turn, claude::error error);
    boost::asio::awaitable<queue::settlement> settle_recorded(turn const& turn,
                                                              store::recorded_outcome recorded);

    job_rules rules_;
    chat_options options_;
    finding finding_;
    store::conversations& store_;
    claude::asker& claude_;
    api_gate& gate_;
    base::clock const& clock_;
    after_commit after_commit_;
    store::patience patience_;
};

}  // namespace engram::workers
