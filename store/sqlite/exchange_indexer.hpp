// Turns that stand in the table without a place in the search index get one, exchange by exchange.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/user_queries.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace engram::store {

/// A turn as it stands in the table.
struct stored_turn {
    std::int64_t id = 0;
    std::string user_id, session_id, job_id, role, content, created_at;
};

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
///
/// An exchange is the turns of one job. Where other software wrote, it is a turn of the user and those of the
/// assistant that follow it in the session. Whatever is in no such form stands alone. An exchange of which
/// some turns were seen in an earlier transaction is carried on.
class exchange_indexer {
public:
    exchange_indexer(connection& db, user_writer& users, recall_index& index);

    /// Before the first add() of a transaction: what was given in one that failed is not written.
    void begin();
    /// A turn of the user or the assistant without an `item`; turns come in the order of their ids. A blank
    /// one, as an erasure leaves it, gets no item.
    void add(stored_turn turn);
    /// Writes what add() was given. Before the transaction ends. Returns how many turns got a place.
    std::size_t finish();

private:
    struct group {
        stored_turn first;               ///< without its text
        bool of_the_user = false;        ///< begins with a turn of the user
        std::size_t size = 0;            ///< turns, those of earlier transactions included
        std::vector<std::int64_t> ids;   ///< of this transaction
        std::vector<std::string> texts;  ///< until the group is closed
        std::vector<text_kind> kinds;
        std::string entry;                 ///< once it is closed
        std::optional<std::int64_t> item;  ///< of an exchange that is carried on
    };
    struct earlier_turn {
        std::int64_t id = 0;
        bool by_user = false;
        std::string job_id;
        std::optional<std::int64_t> item;
    };

    static bool continues(group const& one, stored_turn const& turn);
    void append(group& to, stored_turn turn);
    void close(group& one) const;
    void write(group const& one);
    std::optional<group> carried_on_by(stored_turn const& turn);
    earlier_turn turn_before(stored_turn const& turn);
    void note(std::int64_t turn, std::optional<std::int64_t> item);

    user_writer& users_;
    recall_index& index_;
    statement window_before_;
    statement archive_before_;
    statement note_;
    std::size_t noted_ = 0;
    std::vector<group> groups_;                                        // in the order of their first turns
    std::map<std::pair<std::string, std::string>, std::size_t> open_;  // the last one of each session
};

}  // namespace engram::store
