#include "store/sqlite/writer.hpp"

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/store_thread.hpp"

#include <algorithm>
#include <utility>

namespace engram::store {
namespace {

// The transaction as a whole is lost.
struct batch_lost {
    error why;
};

}  // namespace

writer::writer(connection db, file_watch& watch, text_index const* texts, std::size_t max_batch,
               boost::asio::any_io_executor executor)
    : db_(std::move(db)),
      watch_(watch),
      queries_(db_, texts),
      begin_(db_.prepare("BEGIN IMMEDIATE")),
      version_(db_.prepare("PRAGMA user_version")),
      commit_(db_.prepare("COMMIT")),
      rollback_(db_.prepare("ROLLBACK")),
      savepoint_(db_.prepare("SAVEPOINT piece")),
      release_(db_.prepare("RELEASE piece")),
      rollback_to_(db_.prepare("ROLLBACK TO piece")),
      tell_tie_(db_.prepare("INSERT OR REPLACE INTO engram_state(name, value) VALUES ('log_tie', ?1)")),
      cleaner_(db_, clock_),
      max_batch_(std::max<std::size_t>(max_batch, 1)),
      executor_(std::move(executor)),
      thread_(start_thread("store-writer", [this] { run(); })) {}

writer::~writer() {
    waiting_.close();
    thread_.join();
    static_cast<void>(watch_.look(db_));
    if (watch_.must_leave_log(db_)) {
        db_.leave_log(true);
        return;
    }
    // The last process to close does this by itself; with others still there it saves them the work.
    move_log();
}

void writer::move_log() {
    try {
        db_.execute("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (sqlite_error const& failed) {
        base::log_debug("the database's log stays as it is", {{"reason", failed.what()}});
    }
}

void writer::run() {
    for (auto all = waiting_.take(); !all.empty(); all = waiting_.take()) {
        while (!all.empty()) {
            auto batch = prepare(all.take_front(max_batch_));
            if (batch.empty()) continue;
            if (!begin(batch, all)) break;
            write(std::move(batch));
        }
    }
}

// What fails here takes no part in the transaction.
chain<work<writer::database>> writer::prepare(chain<work<database>> batch) {
    chain<work<database>> ready;
    chain<work<database>> failed;
    while (auto item = batch.pop_front()) {
        try {
            item->prepare();
        } catch (std::exception const& why) {
            item->fail({error_kind::internal, std::string("preparing a write: ") + why.what()});
        }
        (item->failed() ? failed : ready).push_back(std::move(item));
    }
    complete_on(executor_, std::move(failed));
    return ready;
}

// Without a transaction everything that waits fails at once: to wait anew for each batch would make the last
// one wait many times the busy timeout.
bool writer::begin(chain<work<database>>& batch, chain<work<database>>& rest) {
    try {
        if (db_.in_transaction()) rollback_.run();  // an earlier attempt to leave it failed
        if (auto lost = watch_.lost(); !lost.empty())
            throw batch_lost{{error_kind::unavailable, std::move(lost)}};
        begin_transaction();
        return true;
    } catch (batch_lost const& lost) {
        batch.append(std::move(rest));
        give_up(batch, lost.why);
    } catch (sqlite_error const& failed) {
        batch.append(std::move(rest));
        give_up(batch, or_lost(failed.to_error()));
    }
    complete_on(executor_, std::move(batch));
    return false;
}

// From here on nobody can change the schema. Throws batch_lost if somebody has.
void writer::begin_transaction() {
    begin_.run();
    auto found = version_.query();
    if (found.next() && found.integer(0) > schema_version)
        throw batch_lost{{error_kind::unavailable, moved_on(found.integer(0))}};
}

void writer::write(chain<work<database>> batch) {
    try {
        if (!perform_together(batch)) perform_apart(batch);
        base::failpoint("in_commit");
        check_file();  // before: into a log that lies beside another file already nothing may be written
        bool const told = tell_tie();
        commit_.run();
        if (told) watch_.tie_is_told();
        check_not_lost();  // after: what has gone where nobody will read it is not reported as done
        cleaner_.after_commit(std::exchange(queries_.clean_log, false));
        if (std::exchange(queries_.move_log, false)) move_log();
    } catch (batch_lost const& lost) {
        give_up(batch, lost.why);
    } catch (sqlite_error const& failed) {
        auto why = failed.to_error();
        why.kind = failed.is_damage() ? error_kind::internal : error_kind::unavailable;
        give_up(batch, or_lost(std::move(why)));
    }
    complete_on(executor_, std::move(batch));
}

void writer::check_file() {
    if (auto lost = watch_.look(db_); !lost.empty())
        throw batch_lost{{error_kind::unavailable, std::move(lost)}};
}

// What may pass is no reason here: it is stored, and a repeat would store it twice.
void writer::check_not_lost() {
    static_cast<void>(watch_.look(db_));
    if (auto lost = watch_.lost(); !lost.empty())
        throw batch_lost{{error_kind::unavailable, std::move(lost)}};
}

// Once after each checkpoint: see log_tie.hpp.
bool writer::tell_tie() {
    auto const tie = watch_.untold_tie();
    if (tie) tell_tie_.run(to_text(*tie));
    return tie.has_value();
}

// A file that was overwritten looks like a damaged one.
error writer::or_lost(error why) {
    if (auto lost = watch_.look(db_); !lost.empty()) return {error_kind::unavailable, std::move(lost)};
    if (why.damaged) db_.forget_pages();
    watch_.met(why);
    return why;
}

// Returns whether the piece did its work. If not, the transaction may hold a part of it.
bool writer::perform(work<database>& item) {
    try {
        item.perform(queries_);
        return !item.failed();
    } catch (sqlite_error const& failed) {
        auto own = failed.to_error();
        // After such an error SQLite may have ended the transaction, and asks that it be ended anyway.
        if (failed.is_environment() || !db_.in_transaction()) {
            batch_lost lost{or_lost(own)};
            if (!failed.is_damage()) lost.why.kind = error_kind::unavailable;
            item.fail(failed.is_damage() ? lost.why : own);
            throw lost;
        }
        // A damaged page fails those alone that need it.
        item.fail(failed.is_damage() ? or_lost(std::move(own)) : std::move(own));
    } catch (std::exception const& failed) {
        item.fail({error_kind::internal, std::string("writing to the store: ") + failed.what()});
    }
    return false;
}

bool writer::perform_together(chain<work<database>>& batch) {
    for (auto* item = batch.front(); item != nullptr; item = item->next) {
        if (!perform(*item)) return false;
    }
    return true;
}

// A savepoint copies each page that is touched, a quarter of the whole work, so they are taken only once
// something has failed by its own fault, which hardly ever happens: then the batch begins again.
void writer::perform_apart(chain<work<database>>& batch) {
    rollback_.run();
    begin_transaction();
    for (auto* item = batch.front(); item != nullptr; item = item->next) {
        savepoint_.run();
        if (!perform(*item)) rollback_to_.run();
        release_.run();
    }
}

void writer::give_up(chain<work<database>>& batch, error const& why) {
    try {
        if (db_.in_transaction()) rollback_.run();
    } catch (sqlite_error const& failed) {
        base::log_error("a failed transaction could not be rolled back", {{"reason", failed.what()}});
    }
    // A piece that failed by its own fault keeps its own reason.
    for (auto* item = batch.front(); item != nullptr; item = item->next) {
        if (!item->failed()) item->fail(why);
    }
}

}  // namespace engram::store
