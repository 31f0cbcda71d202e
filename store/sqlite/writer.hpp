// The one thread that writes.
#pragma once

#include "store/options.hpp"
#include "store/sqlite/adoption_queries.hpp"
#include "store/sqlite/curation_queries.hpp"
#include "store/sqlite/erasing_queries.hpp"
#include "store/sqlite/exchange_queries.hpp"
#include "store/sqlite/file_watch.hpp"
#include "store/sqlite/forgetting_queries.hpp"
#include "store/sqlite/log_cleaning.hpp"
#include "store/sqlite/outdating.hpp"
#include "store/sqlite/past_queries.hpp"
#include "store/sqlite/rehearsal_queries.hpp"
#include "store/sqlite/summary_queries.hpp"
#include "store/sqlite/upkeep_queries.hpp"
#include "store/sqlite/work.hpp"

#include <thread>

namespace engram::store {

struct write_queries {
    write_queries(connection& db, text_index const* texts)
        : index(db, texts),
          users(db),
          memories(db, index),
          pending(db),
          erasing(db, users, index, pending),
          past(db, texts),
          outdated(db, past, erasing),
          exchanges(db, users, index, memories, outdated),
          rehearsals(db, exchanges),
          summaries(db, users, index, memories, past),
          curation(db, users, memories, texts, outdated),
          forgetting(db, users, index, pending),
          upkeep(db, users, index),
          adoption(db, users, index) {}

    recall_index index;
    user_writer users;
    memory_writer memories;
    pending_queries pending;
    erasing_queries erasing;
    past_queries past;
    outdated_summaries outdated;
    exchange_queries exchanges;
    rehearsal_queries rehearsals;
    summary_queries summaries;
    curation_queries curation;
    forgetting_queries forgetting;
    upkeep_queries upkeep;
    adoption_queries adoption;

    /// Moves the log into the database after the commit, as far as others let it.
    bool move_log = false;
    /// Set by what erases: the log must be cleaned of the old text before that is reported as done.
    bool clean_log = false;
};

/// Texts are analysed before the transaction begins, while others may write. Then group commit: everything
/// that waits goes into one BEGIN IMMEDIATE ... COMMIT, so that many exchanges share
/// one wait for the disk. A piece of work that fails by its own fault fails alone: the transaction is begun
/// again with a savepoint for each piece, so a piece may be performed twice. If the disk, a lock or the
/// commit fails, the whole batch fails, nothing of it is in the database, and no piece of it has been
/// reported as done. So it is if a newer program has brought it to a schema that this one does not know: its
/// rows would be found by nobody; and if the file is not the one any more that the next start will find: if
/// that is seen only after the commit, the batch may be in the database or not.
class writer {
public:
    using database = write_queries;

    /// `texts` and `watch` must outlive it. Throws sqlite_error.
    writer(connection db, file_watch& watch, text_index const* texts, std::size_t max_batch,
           boost::asio::any_io_executor executor);
    writer(writer const&) = delete;
    writer& operator=(writer const&) = delete;
    /// Finishes what was submitted, joins, and moves the log into the database as far as others let it.
    ~writer();

    void submit(std::unique_ptr<work<database>> item) { waiting_.push(std::move(item)); }

private:
    void run();
    chain<work<database>> prepare(chain<work<database>> batch);
    bool begin(chain<work<database>>& batch, chain<work<database>>& rest);
    void write(chain<work<database>> batch);
    bool perform(work<database>& item);
    bool perform_together(chain<work<database>>& batch);
    void perform_apart(chain<work<database>>& batch);
    void give_up(chain<work<database>>& batch, error const& why);
    void begin_transaction();
    void check_file();
    void check_not_lost();
    void move_log();
    bool tell_tie();
    error or_lost(error why);

    connection db_;
    file_watch& watch_;
    write_queries queries_;
    statement begin_;
    statement version_;
    statement commit_;
    statement rollback_;
    statement savepoint_;
    statement release_;
    statement rollback_to_;
    statement tell_tie_;
    base::clock clock_;
    log_cleaner cleaner_;
    std::size_t max_batch_;
    boost::asio::any_io_executor executor_;
    mailbox<work<database>> waiting_;
    std::thread thread_;  // last: it uses everything above
};

}  // namespace engram::store
