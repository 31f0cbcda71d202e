// A thread that answers questions.
#pragma once

#include "store/sqlite/context_queries.hpp"
#include "store/sqlite/export_queries.hpp"
#include "store/sqlite/file_watch.hpp"
#include "store/sqlite/list_queries.hpp"
#include "store/sqlite/pending_queries.hpp"
#include "store/sqlite/work.hpp"

#include <thread>

namespace engram::store {

/// One reading connection and its thread, for what `Queries` answers: context_queries or list_queries.
/// Work that waits is answered from one read transaction, which begins after the work was accepted: it sees
/// everything whose commit was reported before. Each piece is reported when it is done: nobody waits for the
/// pieces behind theirs.
template <class Queries>
class reader {
public:
    using database = Queries;

    /// `texts` may be null: then nothing is found. It and `watch` must outlive this. Throws sqlite_error.
    reader(connection db, file_watch& watch, text_index const* texts, boost::asio::any_io_executor executor);
    reader(reader const&) = delete;
    reader& operator=(reader const&) = delete;
    /// Finishes what was submitted and joins.
    ~reader();

    void submit(std::unique_ptr<work<database>> item) { waiting_.push(std::move(item)); }

private:
    void run();
    void answer(chain<work<database>> batch);
    bool begin(chain<work<database>>& batch);
    void end();
    error reason_of(std::exception const& failed);

    connection db_;
    file_watch& watch_;
    Queries queries_;
    statement begin_;
    statement end_;
    boost::asio::any_io_executor executor_;
    mailbox<work<database>> waiting_;
    std::thread thread_;  // last: it uses everything above
};

extern template class reader<context_queries>;
extern template class reader<list_queries>;

}  // namespace engram::store
