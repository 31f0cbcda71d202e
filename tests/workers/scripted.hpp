// A store and a Claude that do what a test tells them.
#pragma once

#include "base/event.hpp"
#include "claude/client.hpp"
#include "store/conversations.hpp"
#include "store/summaries.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace engram::test {

/// Answers with what was queued, in order, each text in one piece; holds the calls while `hold` is set.
class scripted_claude : public claude::asker {
public:
    explicit scripted_claude(boost::asio::any_io_executor executor) : released(std::move(executor)) {}

    boost::asio::awaitable<claude::result<claude::answer>> ask(claude::request what,
                                                               claude::call_class priority,
                                                               base::steady_time deadline,
                                                               claude::listener& hears) override;

    void will_say(std::string text, std::string stop_reason = "end_turn");
    void will_fail(claude::error_kind kind, std::string message = "no");
    void will_fail(claude::error why) { answers.emplace_back(std::move(why)); }

    std::vector<claude::request> asked;
    std::vector<claude::call_class> classes;
    std::deque<claude::result<claude::answer>> answers;  // none left: "ok"
    std::function<void()> after_ask;                     // may be empty; called before each answer
    bool hold = false;
    base::event released;
};

/// Keeps outcomes by job id and ticket as the interface promises, in memory, and fails on demand.
class scripted_store : public store::conversations, public store::summaries {
public:
    using conversation = engram::store::conversation;
    template <class T>
    using awaitable_result = boost::asio::awaitable<engram::store::result<T>>;

    awaitable_result<engram::store::context> load_context(engram::store::context_query query) override;
    awaitable_result<engram::store::commit_outcome> commit_exchange(engram::store::exchange what) override;
    awaitable_result<engram::store::recorded_outcome> record_failure(engram::store::failure what) override;
    awaitable_result<std::vector<conversation>> find_due_sessions(std::size_t, base::wall_time,
                                                                  std::size_t) override;
    awaitable_result<std::optional<base::wall_time>> find_next_lease_end(std::size_t,
                                                                         base::wall_time) override;
    awaitable_result<std::optional<engram::store::summary_task>> claim_summary(
        engram::store::summary_request request) override;
    awaitable_result<bool> commit_summary(engram::store::summary_task task, std::string summary,
                                          bool delete_turns, base::wall_time at) override;
    awaitable_result<bool> commit_condensed(engram::store::summary_task task, std::string summary,
                                            base::wall_time at) override;
    awaitable_result<void> renew_summary(engram::store::summary_task const&, base::wall_time) override;
    awaitable_result<void> release_summary(engram::store::summary_task task,
                                           base::wall_time not_before) override;

    engram::store::context context;               // what load_context() gives for a job without an outcome
    std::deque<engram::store::context> contexts;  // given before that one, one a load
    std::vector<engram::store::context_query> queries;  // what load_context() was asked
    std::deque<engram::store::commit_outcome::staleness>
        stale;  // how the next commits are refused; `none`: not
    std::size_t unknown_labels = 0;
    std::vector<engram::store::failure> failures;                         // what record_failure() was given
    std::map<std::string, std::pair<std::string, std::string>> finished;  // job id -> digest, reply
    std::map<std::string, engram::store::recorded_outcome> failed;        // by ticket
    std::vector<engram::store::exchange> exchanges;
    std::size_t window_turns = 2;
    int unavailable = 0;  // so many calls fail first
    std::string broken;   // not empty: every call fails for good
    std::optional<engram::store::error> load_fails, commit_fails, record_fails;  // each time

    std::vector<conversation> due;
    std::optional<base::wall_time> lease_end;
    std::deque<engram::store::summary_task> claims;
    std::vector<std::string> summaries, condensed;
    std::vector<engram::store::summary_request> claimed;
    bool takes_summaries = true, takes_condensed = true;
    std::optional<engram::store::error> summary_fails;  // each time
    int given_back = 0;
    base::wall_time last_not_before{};

private:
    std::optional<engram::store::error> next_error();
    std::optional<engram::store::recorded_outcome> recorded(engram::store::job_key const& key) const;
};

}  // namespace engram::test
