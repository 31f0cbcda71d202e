// What people do with memories, over the list `P:admin`: see them, correct them, erase them.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "queue/admin_queue.hpp"
#include "queue/user_traces.hpp"
#include "store/memories.hpp"
#include "store/patience.hpp"
#include "workers/admin/admin_request.hpp"
#include "workers/categories.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

/// After a failure of Redis; whoever asked may try again before.
inline constexpr std::chrono::seconds erasure_retry{5};

struct admin_rules {
    std::string prefix;
    std::vector<std::string> reply_prefixes;
    std::size_t max_request_bytes = 262'144;
    std::size_t max_reply_bytes = 524'288;  ///< pages end before it; Redis's least limit is 1 MiB
    /// The longest wait for a store or a Redis that cannot be used, at each step of a change.
    std::chrono::milliseconds patience{30'000};
    /// The longest that a reply which was stored before a deletion may be on its way to Redis: then its
    /// daemon has written it, or has lost the job.
    std::chrono::milliseconds reply_on_its_way{30'000};
    categories types;
};

/// Answers requests, one at a time or several. One object serves all; everything it refers to must outlive
/// it. All calls from one executor. A request that is answered twice does no harm: what it asked for is done,
/// and the second answer says what there was left to do.
class admin {
public:
    admin(admin_rules rules, store::memories& store, queue::user_traces& traces, base::clock const& clock,
          boost::asio::any_io_executor executor);

    /// Throws on cancellation.
    boost::asio::awaitable<queue::admin_answer> answer(std::string body);

    /// Does what an erasure has left to do, and notes in the store what has become of it. Returns whether it
    /// is done, but for a later look. Throws on cancellation.
    boost::asio::awaitable<bool> finish_erasure(store::pending_erasure what);

    /// For the requests that begin from now on.
    void set_types(categories types) { rules_.types = std::move(types); }

private:
    enum class failure_kind { invalid_job, not_found, internal };
    struct failure {
        failure_kind kind = failure_kind::internal;
        std::string message;
        bool retryable = false;
    };
    template <class T>
    using checked = base::result<T, failure>;
    using outcome = boost::asio::awaitable<checked<std::string>>;  // the reply's `result`

    outcome carry_out(admin_request const& request);

    outcome list_memories(admin_request const& request);
    outcome search_memories(admin_request const& request);
    outcome show_history(admin_request const& request);
    outcome list_sessions(admin_request const& request);
    outcome show_session(admin_request const& request);
    outcome export_user(admin_request const& request);
    outcome count(admin_request const& request);

    outcome add_memory(admin_request const& request);
    outcome update_memory(admin_request const& request);
    outcome restore_memory(admin_request const& request);
    outcome preview_deletion(admin_request const& request);
    outcome delete_memory(admin_request const& request);
    outcome delete_session(admin_request const& request);
    outcome forget_user(admin_request const& request);

    outcome forget_step_by_step(std::string const& user, std::int64_t& pending);
    outcome report_deletion(admin_request const& request, std::optional<store::erased> erased,
                            std::string_view what);
    boost::asio::awaitable<checked<std::size_t>> cancel_jobs(std::string const& user_id);
    boost::asio::awaitable<checked<std::size_t>> cancel_each(std::vector<queue::user_job> const& found,
                                                             std::size_t& jobs);
    boost::asio::awaitable<checked<std::size_t>> erase_replies(queue::ended_jobs what);
    boost::asio::awaitable<void> settle(std::int64_t pending, store::erasure_state state,
                                        base::wall_time due);

    // Waits for the store, or for Redis, as long as the rules allow. `call` must outlive the wait.
    template <class T, class Call>
    boost::asio::awaitable<checked<T>> insist(Call const& call);
    template <class T, class Call>
    boost::asio::awaitable<checked<T>> insist_on_redis(Call const& call);
    template <class Read, class Show>
    outcome show_page(admin_request const& request, std::string_view name, Read const& read,
                      Show const& show);

    [[nodiscard]] static std::string_view type_of(failure_kind kind);
    [[nodiscard]] static failure failure_of(store::error const& error);
    [[nodiscard]] static failure missing(std::string_view what);
    [[nodiscard]] std::size_t list_bytes() const;

    admin_rules rules_;
    store::memories& store_;
    queue::user_traces& traces_;
    base::clock const& clock_;
    boost::asio::any_io_executor executor_;
    store::patience patience_;
};

}  // namespace engram::workers
