#include "workers/background/safe_time.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds jump = 1min;          // against the steady clock
constexpr milliseconds disagreement = 5min;  // of two clocks that are set by the same time servers
constexpr milliseconds idle_time = 7 * 24h;  // a daemon may well have had nothing to do for so long
constexpr int caution = 24;                  // times `settle`, where the time looks much too late
// A clock that shows an earlier time has not been set since the machine was started.
constexpr base::wall_time before_engram{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

std::string in_seconds(milliseconds length) {
    return std::to_string(duration_cast<seconds>(length).count()) + " s";
}

milliseconds distance(base::wall_time a, base::wall_time b) {
    return duration_cast<milliseconds>(a > b ? a - b : b - a);
}

}  // namespace

safe_time::safe_time(base::clock const& clock, redis_time redis, store::upkeep& store, milliseconds settle)
    : clock_(clock),
      redis_(std::move(redis)),
      store_(store),
      settle_(settle),
      unsettled_since_(clock.steady()),
      known_at_(unsettled_since_) {}

asio::awaitable<std::optional<base::wall_time>> safe_time::now() {
    if (!has_asked_store_) {
        auto const newest = co_await store_.newest_outcome();
        if (!newest)
            co_return refuse(doubt::no_answer,
                             "the newest row of the database cannot be read: " + newest.error().message);
        if (!std::exchange(has_asked_store_, true)) known_ = newest_ = *newest;
    }
    auto const redis = co_await redis_();
    if (!redis) co_return refuse(doubt::no_answer, "Redis does not tell its time");
    co_return judge({clock_.steady(), clock_.wall(), *redis});
}

std::optional<base::wall_time> safe_time::judge(reading now) {
    notice_jumps(now);
    last_ = now;
    trouble_.clear();
    look_behind(now);
    if (auto const apart = distance(now.own, now.redis); apart > disagreement) {
        auto why = "the clock of this machine and that of Redis differ by " + in_seconds(apart);
        if (trouble_.empty()) trouble_ = why + ": nothing is deleted for its age; set them (timedatectl)";
        return refuse(doubt::differ, std::move(why));
    }
    auto const late = ahead(now);
    bool const too_late = late > idle_time;
    auto const waited = now.steady - unsettled_since_;
    if (waited < (too_late ? caution * settle_ : settle_)) {
        if (too_late)
            return refuse(doubt::too_late, "the clock is " + in_seconds(late) + " later than it should be");
        if (unsettled_by_.empty()) return refuse(doubt::started, "engramd has just started");
        return refuse(doubt::jumped, unsettled_by_);
    }
    known_ = now.earlier();
    known_at_ = now.steady;
    told_ = doubt::none;
    why_not_.clear();
    return known_;
}

// Steady time does not pass while a machine is suspended: then both clocks seem to jump, which is well.
void safe_time::notice_jumps(reading const& now) {
    if (!last_) return;
    auto const passed = now.steady - last_->steady;
    auto const own = duration_cast<milliseconds>(now.own - last_->own - passed);
    auto const redis = duration_cast<milliseconds>(now.redis - last_->redis - passed);
    bool const own_jumped = std::chrono::abs(own) > jump;
    if (!own_jumped && std::chrono::abs(redis) <= jump) return;
    unsettled_since_ = now.steady;
    unsettled_by_ = own_jumped ? "the clock of this machine jumped by " + in_seconds(own)
                               : "Redis's clock jumped by " + in_seconds(redis);
    told_ = doubt::none;  // another one is told again
}

// A row that is later than both clocks was stored by a clock that was ahead, unless it is they that have
// not been set yet.
void safe_time::look_behind(reading const& now) {
    not_before_.reset();
    if (!newest_ || now.own + disagreement >= *newest_) return;
    if (*newest_ > now.redis + disagreement && now.own >= before_engram) return;
    not_before_ = newest_;
    trouble_ = "the clock of this machine is before the newest row of the database (" +
               base::to_utc_text(now.own) + " < " + base::to_utc_text(*newest_) + "): set it (timedatectl)";
}

milliseconds safe_time::ahead(reading const& now) const {
    if (!known_) return 0ms;
    return duration_cast<milliseconds>(now.earlier() - *known_ - (now.steady - known_at_));
}

std::nullopt_t safe_time::refuse(doubt kind, std::string why) {
    why_not_ = std::move(why);
    if (std::exchange(told_, kind) == kind) return std::nullopt;
    auto const say = kind == doubt::started ? base::log_level::info : base::log_level::warn;
    base::log(say, "nothing is deleted for its age yet", {{"because", why_not_}});
    return std::nullopt;
}

base::wall_time stored_clock::wall() const {
    base::wall_time const floor{milliseconds(floor_ms_.load(std::memory_order_relaxed))};
    return std::max(base::clock::wall(), floor);
}

void stored_clock::set_floor(std::optional<base::wall_time> not_before) {
    floor_ms_.store(not_before ? base::to_unix_ms(*not_before) : 0, std::memory_order_relaxed);
}

}  // namespace engram::workers
