#include "workers/background/summarizer.hpp"

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "workers/background/condensing.hpp"
#include "workers/chat/prompt.hpp"
#include "workers/chat/replies.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds lease_renewal = 5s;
constexpr milliseconds first_pause = 30s;
constexpr milliseconds longest_pause = 1h;
constexpr int most_shrinks = 2;
constexpr std::size_t most_failing = 10'000;  // conversations whose failures are remembered

// A summary that was cut off ends with its last whole point.
std::string whole_lines(claude::answer answer) {
    bool const cut = was_cut(answer);
    auto text = std::move(answer).text();
    auto const end = text.find_last_of('\n');
    if (cut && end != std::string::npos && end > 0) text.resize(end);
    return text;
}

}  // namespace

summarizer::summarizer(summary_options options, std::string owner, store::summaries& store,
                       claude::asker& claude, base::clock const& clock, asio::any_io_executor executor)
    : options_(std::move(options)),
      owner_(std::move(owner)),
      store_(store),
      claude_(claude),
      clock_(clock),
      executor_(executor),
      patience_(executor) {}

asio::awaitable<void> summarizer::summarize(store::conversation which, bool by_size) {
    store::summary_request request;
    request.of = which;
    request.trigger_turns = options_.trigger_turns;
    request.keep_turns = options_.keep_turns;
    if (by_size) {
        request.keep_turns = std::min(options_.keep_turns, kept_by_size);
        request.trigger_turns = std::min(options_.trigger_turns, request.keep_turns + 2);
    }
    request.condense_tokens = options_.condense_tokens;
    request.owner = owner_;
    request.lease = lease;
    request.now = clock_.wall();
    auto claimed = co_await store_.claim_summary(std::move(request));
    if (!claimed) {
        // Thousands may wait, and each fails at once.
        if (auto const untold = unclaimed_.tell(claimed.error().message, clock_.steady()))
            base::log_warn("a session could not be taken for its summary",
                           {{"user", which.user_id},
                            {"session", which.session_id},
                            {"error", claimed.error().message},
                            {"repeated", *untold}});
        co_return;
    }
    if (!*claimed) co_return;  // not due any more, or another process has it
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await give_back_and_stop(**claimed);
    }
    co_await write_summary(std::move(**claimed));
}

// Renews the lease for as long as the call runs. Never ends by itself.
asio::awaitable<void> summarizer::keep_lease(store::summary_task const& task) {
    asio::steady_timer timer(executor_);
    for (;;) {
        timer.expires_after(lease_renewal);
        co_await timer.async_wait(asio::use_awaitable);
        auto const renewed = co_await store_.renew_summary(task, clock_.wall() + lease);
        if (renewed) continue;
        if (auto const untold = unrenewed_.tell(renewed.error().message, clock_.steady()))
            base::log_warn("a summary's lease was not renewed; another process may write the summary, too",
                           {{"user", task.of.user_id},
                            {"session", task.of.session_id},
                            {"error", renewed.error().message},
                            {"repeated", *untold}});
    }
}

// The answer to the request, the lease kept meanwhile. Throws on cancellation, and what the call throws.
asio::awaitable<claude::result<claude::answer>> summarizer::call_keeping_lease(
    store::summary_task const& task, claude::request request) {
    auto const until = steady_clock::now() + options_.timeout;
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(
            executor_,
            claude_.ask(std::move(request), claude::call_class::background, until, claude::ignore_events()),
            asio::deferred),
        asio::co_spawn(executor_, keep_lease(task), asio::deferred));
    auto [order, failure, answer, lease_failure] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (failure) std::rethrow_exception(failure);
    co_return std::move(answer);
}

// As call_keeping_lease(); what the call throws is an error, too.
asio::awaitable<claude::result<claude::answer>> summarizer::ask_keeping_lease(store::summary_task const& task,
                                                                              claude::request request) {
    claude::result<claude::answer> answer = claude::error{};
    try {
        answer = co_await call_keeping_lease(task, std::move(request));
    } catch (std::exception const& failure) {
        answer = claude::error{claude::error_kind::unavailable, failure.what(), 0, 0};
    }
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await give_back_and_stop(task);
    }
    co_return std::move(answer);
}

// The summaries that have outgrown their room become one, if that can be had now; else they stay as they are.
asio::awaitable<void> summarizer::condense(store::summary_task& task) {
    auto answer = co_await ask_keeping_lease(task, compose_condensing(options_, task.to_condense));
    auto text = answer ? read_condensed(*answer, task.to_condense) : std::nullopt;
    bool condensed = false;
    if (text) {
        auto const commit = [&] { return store_.commit_condensed(task, *text, clock_.wall()); };
        auto const committed = co_await patience_.insist(commit);
        condensed = committed && *committed;
    }
    if (condensed) ++counts_.condensed;
    base::log_info(condensed
                       ? "summaries of a session condensed"
                       : "summaries of a session were not condensed; it will be tried again with the next",
                   {{"user", task.of.user_id},
                    {"session", task.of.session_id},
                    {"summaries", task.to_condense.size()},
                    {"error", answer ? "" : claude::loggable(answer.error())}});
    auto& earlier = task.earlier_summaries;
    if (condensed)
        earlier.insert(earlier.begin(), std::move(*text));
    else
        for (auto i = task.to_condense.size(); i-- > 0;)
            earlier.insert(earlier.begin(), task.to_condense[i].content);
}

// A transcript that is too long for the model is shortened further, twice.
asio::awaitable<claude::result<claude::answer>> summarizer::ask_until_it_fits(
    store::summary_task const& task) {
    auto bytes = transcript_bytes;
    for (int shrinks = 0;; ++shrinks, bytes /= 4) {
        auto answer = co_await ask_keeping_lease(task, compose_summary(options_, task, bytes));
        bool const fits = answer || answer.error().kind != claude::error_kind::too_long;
        if (fits || shrinks == most_shrinks) co_return std::move(answer);
    }
}

// The summary, or nothing if there is none that can be used; that has been logged and the session given back.
asio::awaitable<std::optional<std::string>> summarizer::ask_for_summary(store::summary_task const& task) {
    auto answer = co_await ask_until_it_fits(task);
    bool const usable = answer && !base::is_blank(answer->text()) && answer->stop_reason != "refusal";
    if (usable) co_return whole_lines(std::move(*answer));
    using enum claude::error_kind;
    bool const hopeless = answer || answer.error().kind == rejected || answer.error().kind == too_long ||
                          answer.error().kind == model_gone;
    auto const pause = pause_after(task.of, hopeless);
    base::log_warn("a session was not summarized; it will be tried again",
                   {{"user", task.of.user_id},
                    {"session", task.of.session_id},
                    {"error", answer ? "no text: " + answer->stop_reason : claude::loggable(answer.error())},
                    {"next_try_s", std::chrono::duration_cast<std::chrono::seconds>(pause).count()}});
    ++counts_.failed;
    co_await give_back(task, clock_.wall() + pause);
    co_return std::nullopt;
}

// The daemon was told to stop: the next one can have the session at once. REQUIRES: cancellation was reset,
// or awaiting this would throw before it begins.
asio::awaitable<void> summarizer::give_back_and_stop(store::summary_task const& task) {
    co_await give_back(task, clock_.wall());
    throw boost::system::system_error(asio::error::operation_aborted);
}

// Doubles with each failure of this conversation, so that one that cannot be summarized is not paid for every
// minute.
milliseconds summarizer::pause_after(store::conversation const& which, bool hopeless) {
    if (failures_.size() >= most_failing) failures_.clear();
    auto const failures = failures_[which]++;
    return hopeless ? longest_pause : base::backoff_after(failures, first_pause, longest_pause);
}

asio::awaitable<void> summarizer::write_summary(store::summary_task task) {
    auto const begun = steady_clock::now();
    if (!task.to_condense.empty()) co_await condense(task);
    auto const summary = co_await ask_for_summary(task);
    if (!summary) co_return;
    auto const commit = [&] {
        return store_.commit_summary(task, *summary, options_.delete_turns, clock_.wall());
    };
    auto const committed = co_await patience_.insist(commit);
    if (!committed) {
        ++counts_.failed;
        // It is paid for each time: a damaged page must not cost a call every half minute.
        auto const pause = pause_after(task.of, false);
        base::log_warn("a summary could not be stored; it will be tried again",
                       {{"user", task.of.user_id},
                        {"session", task.of.session_id},
                        {"error", committed.error().message},
                        {"next_try_s", std::chrono::duration_cast<std::chrono::seconds>(pause).count()}});
        co_await give_back(std::move(task), clock_.wall() + pause);
        co_return;
    }
    failures_.erase(task.of);
    ++(*committed ? counts_.written : counts_.discarded);
    base::log_info(*committed ? "session summarized"
                              : "a summary was dropped: something of the user was erased meanwhile, or its "
                                "turns were summarized by another process",
                   {{"user", task.of.user_id},
                    {"session", task.of.session_id},
                    {"turns", task.turns.size()},
                    {"ms", base::elapsed_ms(begun, steady_clock::now())}});
    if (!*committed) co_await give_back(std::move(task), clock_.wall());
}

asio::awaitable<void> summarizer::give_back(store::summary_task task, base::wall_time not_before) {
    auto const released = co_await store_.release_summary(std::move(task), not_before);
    if (!released) base::log_warn("a session was not given back", {{"error", released.error().message}});
}

}  // namespace engram::workers
