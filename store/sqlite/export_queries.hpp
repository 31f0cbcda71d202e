// Everything about a user, page after page.
#pragma once

#include "store/memories.hpp"
#include "store/sqlite/connection.hpp"

#include <string>
#include <vector>

namespace engram::store {

/// Statements on one reading connection, which must outlive them. Each call belongs inside a transaction.
/// Throws sqlite_error.
///
/// First all memories, newest first; then session for session with its turns; last the turns that older
/// software wrote without a session. A page reads its own rows and those of the place where it begins,
/// wherever it is in the export; a session itself says how many turns it has, for which they are counted
/// once.
///
/// `next` is "m<id>", after a memory; "t<id>:<session in hex>", in a session after a turn (a session itself
/// comes before its first turn); "u<id>", after a turn without a session.
class export_queries {
public:
    explicit export_queries(connection& db);

    [[nodiscard]] page<exported> export_user(std::string const& user_id, page_request const& which);

private:
    struct place {
        std::string session;
        std::int64_t after = 0;
        bool begun = false;  // the session itself has been written
    };

    static place place_of(std::string const& cursor);
    void add_sessions(std::string const& user_id, page_request const& which, page<exported>& page);
    bool add_turns(std::string const& user_id, place& at, std::size_t limit, page<exported>& page);
    void add_lost_turns(std::string const& user_id, page_request const& which, page<exported>& page);
    std::size_t count_turns(std::string const& user_id, std::string const& session_id);

    statement memories_, sessions_;
    statement window_turns_, archive_turns_, window_count_, archive_count_;
    statement lost_window_turns_, lost_archive_turns_;
};

}  // namespace engram::store
