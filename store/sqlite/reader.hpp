// A thread that answers questions.
#pragma once

#include "store/sqlite/context_queries.hpp"
#include "store/sqlite/export_queries.hpp"
#include "store/sqlite/listing_queries.hpp"
#include "store/sqlite/pending_queries.hpp"
#include "store/sqlite/work.hpp"

#include <thread>

namespace engram::store {

struct read_queries {
    explicit read_queries(connection& db) : contexts(db), lists(db), exports(db), erasures(db) {}

    context_queries contexts;
    listing_queries lists;
    export_queries exports;
    due_erasures erasures;
};

/// One reading connection and its thread. Work that waits is answered together from one read transaction,
/// which begins after the work was accepted: it sees everything whose commit was reported before.
class reader {
public:
    using database = read_queries;

    /// Throws sqlite_error.
    reader(connection db, boost::asio::any_io_executor executor);
    reader(reader const&) = delete;
    reader& operator=(reader const&) = delete;
    /// Finishes what was submitted and joins.
    ~reader();

    void submit(std::unique_ptr<work<database>> item) { waiting_.push(std::move(item)); }

private:
    void run();
    void answer(chain<work<database>> batch);
    void leave_transaction();

    connection db_;
    read_queries queries_;
    statement begin_;
    statement end_;
    boost::asio::any_io_executor executor_;
    mailbox<work<database>> waiting_;
    std::thread thread_;  // last: it uses everything above
};

}  // namespace engram::store
