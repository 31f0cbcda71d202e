// Erasures whose second half, in Redis, is done later: after a failure, or to look for a reply that was on
// its way when the first half was done.
#include "base/backoff.hpp"
#include "base/log.hpp"
#include "workers/admin/admin.hpp"
#include "workers/admin/admin_calls.hpp"

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::minutes longest_pause{5};

std::string_view name_of(store::pending_erasure::kind what) {
    switch (what) {
        case store::pending_erasure::kind::memory:
            return "memory";
        case store::pending_erasure::kind::session:
            return "session";
        case store::pending_erasure::kind::user:
            break;
    }
    return "user";
}

}  // namespace

asio::awaitable<bool> admin::finish_erasure(store::pending_erasure what) {
    using enum store::erasure_state;
    std::string trouble;
    if (what.what == store::pending_erasure::kind::user) {
        std::int64_t pending = 0;  // the same one
        auto const forgotten = co_await forget_step_by_step(what.user_id, pending);
        if (!forgotten) trouble = forgotten.error().message;
    } else {
        auto const gone = co_await erase_replies({what.user_id, what.reply_keys, what.job_ids, false});
        if (!gone) trouble = gone.error().message;
        if (gone && what.cleaned) co_await settle(what.id, done, {});
        if (gone && !what.cleaned) co_await settle(what.id, cleaned, clock_.wall() + rules_.reply_on_its_way);
    }
    if (trouble.empty()) {
        base::log_info("what an erasure had left to do in Redis is done",
                       {{"erasure", name_of(what.what)}, {"user", what.user_id}});
        co_return true;
    }
    auto const pause = base::backoff_after(what.tries, erasure_retry, longest_pause);
    base::log_warn("an erasure is not finished; it will be tried again",
                   {{"erasure", name_of(what.what)},
                    {"user", what.user_id},
                    {"error", trouble},
                    {"next_try_s", std::chrono::duration_cast<std::chrono::seconds>(pause).count()}});
    co_await settle(what.id, open, clock_.wall() + pause);
    co_return false;
}

// A failure is no harm: the erasure is claimed once more, and what it asks for is done again.
asio::awaitable<void> admin::settle(std::int64_t pending, store::erasure_state state, base::wall_time due) {
    if (pending == 0) co_return;
    auto const settled = co_await store_.settle_erasure(pending, state, due);
    if (!settled)
        base::log_warn("the state of an erasure was not noted; it will be tried again",
                       {{"erasure", pending}, {"error", settled.error().message}});
}

}  // namespace engram::workers
