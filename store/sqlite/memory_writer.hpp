// How memories come to be, are confirmed, replaced and ended.
#pragma once

#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/text_analysis.hpp"
#include "store/sqlite/user_queries.hpp"

#include <optional>
#include <span>

namespace engram::store {

/// Where and when something was learnt. Empty: not in a conversation.
struct memory_origin {
    std::string_view user_id;
    std::string_view session_id;
    std::string_view job_id;
    std::int64_t user_turn = 0;  ///< ids of the exchange's turns; 0: none
    std::int64_t assistant_turn = 0;
    base::wall_time at;
};

/// The `job_id` of a memory that a consolidation has made of others; no job has such an id.
inline constexpr std::string_view consolidation_job = "~consolidation";

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction,
/// which is what makes it safe against other daemons: between looking for a duplicate and writing nobody else
/// writes. Throws sqlite_error.
///
/// A memory is a chain of versions under one label; at most one is current (`valid_to` is NULL). Only the
/// current one is in the search index.
class memory_writer {
public:
    memory_writer(connection& db, recall_index& index);

    // `text` is what was made of the note's content before the transaction.

    /// Does what a note says; none if it names a memory that this user does not have now.
    [[nodiscard]] std::optional<saved_memory> apply(user_row& user, new_memory const& note,
                                                    analysed_text const& text, memory_origin const& origin);

    [[nodiscard]] saved_memory add(user_row& user, new_memory const& note, analysed_text const& text,
                                   memory_origin const& origin);
    /// Whether it was known or not. Returns its id.
    std::int64_t add_summary(user_row& user, std::string const& content, analysed_text const& text,
                             memory_origin const& origin);
    /// A new version of `old`, which must be current. It counts as seen once more often than that.
    [[nodiscard]] saved_memory supersede(user_row& user, memory_record const& old, new_memory const& note,
                                         analysed_text const& text, memory_origin const& origin);
    /// Ends a current version; `by` took its place, 0: nothing did.
    void end(user_row const& user, std::int64_t id, std::int64_t by, base::wall_time at);
    /// A version of the past becomes current; the one of its label that is current now ends.
    void restore(user_row& user, memory_record const& past, base::wall_time at);
    /// A memory that was made of another one lives no longer than that, and is known from where that is.
    void inherit(std::int64_t id, std::int64_t from);
    /// The same memory with other content; nothing of the old one is kept.
    void rewrite(user_row& user, memory_record const& old, std::string const& content,
                 analysed_text const& text, base::wall_time at);
    /// It is gone with its sources; its versions are not.
    void remove(user_row const& user, std::int64_t id);
    void pin(std::int64_t id, bool pinned, base::wall_time at);

    [[nodiscard]] std::optional<memory_record> find(std::string_view user_id, std::int64_t id);
    [[nodiscard]] std::optional<memory_record> find_current(std::string_view user_id, std::int64_t label);

private:
    void take_out(user_row const& user, std::int64_t id);
    std::int64_t find_duplicate(std::string_view user_id, std::string_view type, std::string_view content,
                                std::string_view fingerprint, std::int64_t besides);
    void confirm(std::int64_t id, new_memory const& note, memory_origin const& origin);
    std::int64_t insert(user_row& user, new_memory const& note, analysed_text const& text, std::int64_t label,
                        memory_origin const& origin);
    void note_source(std::int64_t id, memory_origin const& origin);
    void keep_within(user_row const& user, new_memory const& note, std::int64_t newest,
                     memory_origin const& origin);

    connection& db_;
    recall_index& index_;
    statement same_type_;
    statement insert_;
    statement confirm_;
    statement add_source_;
    statement find_;
    statement find_current_;
    statement item_of_;
    statement end_;
    statement restore_;
    statement inherit_expiry_;
    statement inherit_sources_;
    statement inherit_times_;
    statement rewrite_;
    statement remove_;
    statement remove_sources_;
    statement pin_;
    statement keep_expiry_;
    statement count_type_;
    statement least_seen_;
};

}  // namespace engram::store
