#include "queue/list_waiter.hpp"

#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds pause_after_error{250};

}  // namespace

list_waiter::list_waiter(redis::client& connection, std::string list, std::string_view whose,
                         std::string_view doing)
    : connection_(connection), list_(std::move(list)), doing_(doing), trouble_(whose) {}

asio::awaitable<list_waiter::outcome> list_waiter::wait(base::event& sooner) {
    if (connection_.is_up()) {
        // BLMOVE of a list onto its own end changes nothing.
        auto const seconds = std::to_string(double(longest_wait.count()) / 1000);
        auto const answer =
            co_await connection_.command({"BLMOVE", list_, list_, "RIGHT", "RIGHT", seconds}, longest_wait);
        if (answer) {
            trouble_.clear();
            co_return answer->is_nil() ? outcome::quiet : outcome::pushed;
        }
        auto const& error = answer.error();
        if (error.has_code("UNBLOCKED")) co_return outcome::quiet;
        // A full Redis refuses BLMOVE, and still lets jobs be taken.
        bool const refused = !error.leaves_doubt() && !error.has_code("MOVED") && !error.has_code("READONLY");
        if (refused) trouble_.note(error, doing_);
    }
    co_await sooner.wait_until(steady_clock::now() + pause_after_error);
    co_return outcome::failed;
}

}  // namespace engram::queue
