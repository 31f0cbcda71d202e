#include "claude/gate.hpp"

#include "base/log.hpp"

#include <utility>

namespace engram::claude {

namespace asio = boost::asio;
using std::chrono::steady_clock;

gate::gate(std::chrono::milliseconds pause, intake on_change, asio::any_io_executor executor)
    : pause_(pause), on_change_(std::move(on_change)), changed_(executor) {}

void gate::enter(state next) {
    if (state_ == next) return;
    state_ = next;
    on_change_(next);
    changed_.notify_all();
}

void gate::answered(std::uint64_t since) {
    if (state_ == state::open || since != period_) return;
    base::log_info("Claude answers again: jobs are taken", {{"was", reason_}});
    reason_.clear();
    enter(state::open);
}

bool gate::refused(error const& why) {
    bool const first = state_ == state::open;
    ++period_;
    reason_ = why.message;
    shut_until_ = steady_clock::now() + pause_;
    if (first)
        base::log_error("Claude refuses every call: jobs wait in Redis until this is mended",
                        {{"error", why.message}, {"next_try_ms", pause_.count()}});
    enter(state::shut);
    return first;
}

void gate::try_now() {
    if (state_ == state::shut) enter(state::trial);
}

asio::awaitable<void> gate::run() {
    for (;;) {
        if (state_ != state::shut) {
            co_await changed_.wait();
            continue;
        }
        co_await changed_.wait_until(shut_until_);
        if (state_ == state::shut && steady_clock::now() >= shut_until_) enter(state::trial);
    }
}

}  // namespace engram::claude
