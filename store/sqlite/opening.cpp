#include "store/sqlite/opening.hpp"

#include <sqlite3.h>

namespace engram::store {
namespace {

using namespace std::chrono_literals;

constexpr auto between_questions = 50ms;
constexpr int steps_between_looks = 20'000;  // of SQLite's machine: less than a millisecond
constexpr auto longest_wait = 30min;         // for another process that brings the database up to date

}  // namespace

void opening::attach(connection& db) {
    if (watch_ == nullptr) return;
    sqlite3_progress_handler(
        db.native(), steps_between_looks,
        [](void* self) { return static_cast<opening*>(self)->ask() ? 0 : 1; }, this);
}

void opening::detach(connection& db) {
    sqlite3_progress_handler(db.native(), 0, nullptr, nullptr);
}

void opening::check() {
    asked_ = {};
    if (!ask())
        throw open_stopped("ended before the database was ready; the next start carries on from there");
}

bool opening::ask() {
    auto const now = std::chrono::steady_clock::now();
    if (watch_ == nullptr || stopped_ || now - asked_ < between_questions) return !stopped_;
    asked_ = now;
    stopped_ = !watch_->go_on(now_);
    return !stopped_;
}

bool opening::may_wait() {
    if (watch_ == nullptr) return false;
    check();
    return std::chrono::steady_clock::now() - begun_ < longest_wait;
}

opening::shorter_wait::shorter_wait(connection& db, bool really)
    : db_(db), usual_(db.query_integer("PRAGMA busy_timeout")), really_(really) {
    if (really_) db_.execute("PRAGMA busy_timeout = 100");
}

opening::shorter_wait::~shorter_wait() {
    if (really_) sqlite3_busy_timeout(db_.native(), static_cast<int>(usual_));
}

}  // namespace engram::store
