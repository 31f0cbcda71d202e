// Summaries that tell what has been taken back are made anew.
#pragma once

#include "store/sqlite/erasing_queries.hpp"
#include "store/sqlite/past_queries.hpp"

#include <string>

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
class outdated_summaries {
public:
    outdated_summaries(connection& db, past_queries& past, erasing_queries& erasing);

    /// After something may have been taken back at `at`: of the user's summaries (the newest 200) those that
    /// tell it go, and their turns are in the window again until they are summarized anew. One that cannot be
    /// made anew, or that somebody pinned or corrected, stays, and is cut whenever it is read.
    void make_anew(std::string const& user_id, base::wall_time at);

private:
    past_queries& past_;
    erasing_queries& erasing_;
    statement summaries_;
};

}  // namespace engram::store
