#include "store/sqlite/log_cleaning.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace engram::store {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds first_try = 1s;  // the request that erases waits for it
constexpr milliseconds shortest_try = 5ms;
constexpr milliseconds shortest_pause = 100ms;
constexpr auto between_complaints = 10min;

milliseconds doubled(milliseconds first, std::size_t times, milliseconds most) {
    return std::min(first * (1 << std::min<std::size_t>(times, 16)), most);
}

}  // namespace

void log_cleaner::after_commit(bool erased) {
    auto const now = clock_.steady();
    if (!erased && (clean_ || now < next_try_)) return;
    if (clean_ || tries_ == 0) dirty_since_ = now;
    clean_ = empty_log(erased ? first_try : doubled(shortest_try, tries_, longest_try));
    if (!clean_) return failed();
    if (complained_)
        base::log_info(
            "the database's log is clean of erased text",
            {{"tries", tries_ + 1}, {"after_ms", base::elapsed_ms(dirty_since_, clock_.steady())}});
    tries_ = 0;
    complained_ = false;
}

void log_cleaner::failed() {
    auto const now = clock_.steady();
    next_try_ = now + doubled(shortest_pause, tries_, longest_pause);
    ++tries_;
    if (complained_ && now < next_complaint_) return;
    complained_ = true;
    next_complaint_ = now + between_complaints;
    base::log_warn(
        "erased text may still be in the database's log: somebody reads an older state of the database; "
        "cleaning the log is tried again after the next writes until it succeeds",
        {{"tries", tries_}, {"for_ms", base::elapsed_ms(dirty_since_, now)}});
}

bool log_cleaner::empty_log(milliseconds patience) {
    auto const usual = db_.query_integer("PRAGMA busy_timeout");
    auto const wait = [&](std::int64_t ms) { db_.execute("PRAGMA busy_timeout = " + std::to_string(ms)); };
    bool done = false;
    wait(std::min<std::int64_t>(usual, patience.count()));
    try {
        done = db_.query_integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
    } catch (sqlite_error const& failed) {
        base::log_debug("the database's log was not cleaned", {{"reason", failed.what()}});
    }
    wait(usual);
    return done;
}

}  // namespace engram::store
