// What is counted for each user: short numbers of memories, places in the search index, erasures.
#pragma once

#include "store/sqlite/connection.hpp"

#include <string>

namespace engram::store {

struct user_row {
    std::int64_t key = 0;         ///< the store's number of the user; 0: not there
    std::int64_t next_label = 1;  ///< of a memory
    std::int64_t next_item = 0;   ///< of a text in the search index
    std::int64_t notes = 0;       ///< memories that are new since the last consolidation
    erasures seen;
    std::int64_t forgotten_at = 0;  ///< ms since 1970; 0: never
};

/// The row of a user is found by a digest of their id and stays when everything of them is erased: then it
/// holds no word of theirs, only that and when it was erased.
[[nodiscard]] std::string digest_of_user(std::string_view user_id);

/// Statements on one connection, which must outlive them. Throws sqlite_error.
class user_reader {
public:
    explicit user_reader(connection& db);
    [[nodiscard]] user_row find(std::string_view user_id);

private:
    statement find_;
};

/// On the writing connection; each call belongs inside a transaction.
class user_writer {
public:
    explicit user_writer(connection& db);
    [[nodiscard]] user_row find(std::string_view user_id) { return reader_.find(user_id); }
    [[nodiscard]] user_row find_or_add(std::string_view user_id);
    void save(user_row const& user);
    /// So that upkeep, which looks for users by what is to be done, knows whose it is.
    void name(std::int64_t key, std::string_view user_id);
    /// Counts an erasure: what was read before may not be written any more.
    void count_deletion(std::int64_t key);
    /// Takes back everything but the digest and what has to go on counting. `counts`: it is one forgetting
    /// more.
    void forget(std::int64_t key, std::int64_t at_ms, bool counts);
    /// They were forgotten in a later state of this database.
    void know_forgotten(std::string_view digest, std::int64_t forgets, std::int64_t at_ms);

private:
    connection& db_;
    user_reader reader_;
    statement add_;
    statement save_;
    statement name_;
    statement count_deletion_;
    statement forget_;
    statement know_forgotten_;
};

}  // namespace engram::store
