// Rows that another program has written into the two tables while this one uses them.
//
// Such a row shows in the window of its session, or in the profile, from the next prompt on. What it lacks is
// what only this program gives: a memory its label and fingerprint, both their entry in the search index, a
// session its row. They are told by columns that the other program does not know: a memory of its has no
// label, a turn no job (NULL; that of a turn which was looked at is empty). Two indexes hold these rows and
// no others, so that they cost nothing while there are none.
//
// An older engramd that went on writing after a newer one had brought the schema up to date (this one does
// not) leaves turns with a job and without a place in the index. No index tells them from this program's own,
// so each turn is looked at once after it was stored, in the order of the ids; behind which id the next look
// begins is `looked_at_turns` in engram_state, now and then. The session has counted them already.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/exchange_indexer.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/user_queries.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
class adoption_queries {
public:
    adoption_queries(connection& db, user_writer& users, recall_index& index);

    /// At most `limit` rows, and fewer if their texts are long. Returns how many; 0: there are none.
    [[nodiscard]] std::size_t adopt_rows(std::size_t limit);

    struct older {
        std::size_t rows;   ///< that got a place in the index
        std::int64_t last;  ///< the id behind which the next look begins
    };
    /// Turns of an older engramd behind the id `after`, up to the id `last`, as many as adopt_rows() takes.
    [[nodiscard]] older adopt_older(std::int64_t after, std::int64_t last, std::size_t limit);

private:
    struct foreign_memory {
        std::int64_t id;
        std::optional<std::string> user_id;
        std::string content, created_at, session_id;
        bool holds;  ///< is not a version of the past
    };
    struct session_change {
        std::string at;         ///< of the newest turn
        std::size_t turns = 0;  ///< that come into its window
    };
    using sessions = std::map<std::pair<std::string, std::string>, session_change>;

    std::size_t adopt_turns(std::size_t limit, std::size_t& bytes);
    std::size_t adopt_memories(std::size_t limit, std::size_t& bytes);
    void adopt_memory(foreign_memory const& one);

    user_writer& users_;
    recall_index& index_;
    exchange_indexer indexer_;
    statement to_text_turns_, to_text_memories_;
    statement turns_, looked_at_;
    statement memories_, note_memory_, nobodys_;
    statement counted_, session_;
    statement older_, looked_at_up_to_;
};

/// Whether there is anything to adopt; on any connection.
class foreign_rows {
public:
    explicit foreign_rows(connection& db);
    [[nodiscard]] bool any();

private:
    statement turn_, memory_;
};

/// Whether there may be turns of an older engramd among the next ones; on any connection.
class older_turns {
public:
    explicit older_turns(connection& db);

    struct piece {
        std::int64_t after = 0, last = 0;  ///< ids; equal: there is nothing to look at
        bool any = false;
    };
    /// Looks at up to `most` turns behind `after`, or behind the id that is noted. Nothing while the index
    /// is not of version `index_version`: it is made of all turns.
    [[nodiscard]] piece look(std::optional<std::int64_t> after, std::size_t most, std::int64_t index_version);

private:
    statement index_, noted_, last_, any_;
};

}  // namespace engram::store
