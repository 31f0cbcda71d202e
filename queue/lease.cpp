#include "queue/lease.hpp"

#include "base/log.hpp"
#include "base/random_id.hpp"
#include "redis/server_check.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds longest_farewell = 3s;  // for a connection, at the end

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "engramd";
}

std::string_view id_in(std::string_view database) {
    return database.substr(0, database.find('.'));
}

// What an operator is to know and do, when these two meet.
std::string describe_meeting(std::string_view theirs, std::string_view mine, milliseconds lease) {
    bool const is_copy = id_in(theirs) == id_in(mine);
    std::string text =
        is_copy ? "a copy of this database serves this queue (" : "another database serves this queue (";
    text.append(theirs)
        .append("; this instance has ")
        .append(mine)
        .append("): no jobs are taken here until it has left. ");
    text += is_copy ? "Let all daemons of the queue use one and the same file, on one machine"
                    : "Give this daemon the same store.path, or another redis.prefix";
    return text + "; after a crash or a restore this is over within " + std::to_string(lease.count()) + " ms";
}

}  // namespace

lease::lease(options const& options, redis::client& connection, job_calls& calls,
             asio::any_io_executor executor)
    : options_(options), connection_(connection), calls_(calls), beaten_(std::move(executor)) {
    begin_anew();
}

void lease::begin_anew() {
    auto const& name = options_.instance_name;
    auto const first = name.empty() ? host_name() + "-" + std::to_string(getpid()) : name;
    previous_ = std::move(instance_);
    instance_ = first + "-" + base::random_hex(6);
    held_ = false;
    maybe_registered_ = false;
}

milliseconds lease::pause() const {
    return held_ || meets_other_database_ ? std::clamp<milliseconds>(options_.lease / 5, 100ms, 1s) : 100ms;
}

asio::awaitable<lease::beat> lease::renew(std::string report) {
    if (leaving_) co_return beat{};
    struct under_way {
        lease& of;
        explicit under_way(lease& it) : of(it) { of.beating_ = true; }
        ~under_way() {
            of.beating_ = false;
            of.beaten_.notify_all();
        }
    } marked(*this);
    beat found;
    found.first = !held_;
    auto const generation = connection_.generation();
    heartbeat what;
    what.instance = instance_;
    what.kind = found.first ? '1' : generation != greeted_generation_ ? '2' : '0';
    what.report = std::move(report);
    if (found.first) what.previous = previous_;
    auto const asking = instance_;
    if (connection_.is_up()) maybe_registered_ = true;
    auto const answer = co_await calls_.beat(std::move(what));
    bool const was_sent = connection_.is_up() || connection_.generation() != generation;
    bool const refused = !answer && answer.error().has_code(job_calls::other_database);
    if (was_sent && asking == instance_) maybe_registered_ = answer ? answer->alive : !refused;
    if (leaving_ || asking != instance_) co_return found;
    found.counts = true;
    meets_other_database_ = refused;
    if (refused) {
        note_other_database(
            std::string_view(answer.error().message).substr(job_calls::other_database.size()));
        found.lost = held_;
        co_return found;
    }
    if (!answer) {
        trouble_.note(answer.error(), "renewing the lease");
        co_return found;
    }
    trouble_.clear();
    told_of_other_database_.over();
    greeted_generation_ = generation;
    found.passed = true;
    found.lost = !answer->alive;
    found.taken_back = answer->taken_back;
    found.owned = answer->owned;
    found.woken = answer->woken;
    found.cancels = answer->cancels;
    found.paused = answer->paused;
    if (!found.lost) held_ = true;
    co_return found;
}

void lease::note_other_database(std::string_view theirs) {
    theirs.remove_prefix(std::min(theirs.size(), theirs.find_first_not_of(' ')));
    auto const text = describe_meeting(theirs, options_.database, options_.lease);
    trouble_.set(text);
    if (auto const repeated = told_of_other_database_.tell(theirs, steady_clock::now()))
        base::log_error("no jobs are taken", {{"queue", options_.prefix}, {"error", text}});
}

asio::awaitable<void> lease::check_server() {
    auto const generation = connection_.generation();
    if (!connection_.is_up() || checked_generation_ == generation) co_return;
    auto const info = co_await connection_.command({"INFO"});
    if (!info && info.error().leaves_doubt()) co_return;
    checked_generation_ = generation;
    if (auto const& remarks = connection_.remarks(); remarks != remarks_) {
        remarks_ = remarks;
        for (auto const& remark : remarks_)
            base::log_warn("Redis can be used, but something is odd about it",
                           {{"redis", connection_.address().to_text()}, {"remark", remark}});
    }
    auto const risks =
        info ? redis::server_risks(info->text, options_.prefix)
             : std::vector<std::string>{"Redis does not tell its settings (INFO), so they are not checked: " +
                                        info.error().message};
    if (risks == risks_) co_return;
    risks_ = risks;
    for (auto const& risk : risks_)
        base::log_warn("Redis is not set up to keep what it is given",
                       {{"redis", connection_.address().to_text()}, {"risk", risk}});
}

asio::awaitable<void> lease::leave() {
    leaving_ = true;
    auto const until = steady_clock::now() + longest_farewell;
    while (beating_ && !held_ && connection_.is_up()) {
        bool const woken = co_await beaten_.wait_until(until);
        if (!woken) break;
    }
    if (!maybe_registered_) co_return;
    // A Redis that is away for a moment: without this call every job still in hand would count a death.
    bool const up = co_await connection_.wait_until_up(until);
    if (!up) co_return;
    auto const left = co_await calls_.leave(instance_);
    if (!left)
        base::log_warn(
            "this instance could not leave the queue: what it has goes to others when its lease ends",
            {{"instance", instance_}, {"error", left.error().message}});
    held_ = maybe_registered_ = false;
}

}  // namespace engram::queue
