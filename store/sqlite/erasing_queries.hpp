// Deleting that deletes: a text goes from every place that holds it or was made from it.
#pragma once

#include "store/memories.hpp"
#include "store/sqlite/held_memories.hpp"
#include "store/sqlite/memory_writer.hpp"
#include "store/sqlite/outcome_erasing.hpp"
#include "store/sqlite/pending_queries.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/user_queries.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it; after the commit the log has to be cleaned. Throws sqlite_error.
///
/// Erased turns stay as blank ones outside of the window (`summary_id` 0), so that the history keeps its
/// shape. An erased job keeps its outcome without its text: were it gone, a repeat of the job would bring
/// everything back.
class erasing_queries {
public:
    erasing_queries(connection& db, user_writer& users, recall_index& index, pending_queries& pending);

    /// None: there is no such memory or session, nor an erasure of it that is not finished.
    [[nodiscard]] std::optional<erased> delete_memory(std::string const& user_id, std::int64_t id,
                                                      base::wall_time at);
    /// What that would do. Nothing is changed when this returns.
    [[nodiscard]] std::optional<erasure_preview> preview_deletion(std::string const& user_id,
                                                                  std::int64_t id);
    /// These summaries and those that were written after them in their sessions go, and what they stand for
    /// is in the window again. One whose turns are not there stays, and so does one that is pinned or was
    /// corrected by hand.
    void remake_summaries(std::string const& user_id, std::set<std::int64_t> summaries);
    [[nodiscard]] std::optional<erased> delete_session(conversation const& of, bool memories,
                                                       base::wall_time at);

private:
    using ids = std::set<std::int64_t>;
    struct erasure;  // one under way

    void erase_memories(erasure& what, ids memories);
    ids versions_and_relatives(std::string const& user_id, ids memories);
    bool was_consolidated(std::string const& user_id, std::int64_t id);
    struct sources {
        ids turns;
        ids summaries;  ///< of turns that are not there any more
        std::set<std::string> jobs;
    };
    sources sources_of(erasure& what, ids const& memories);
    ids with_later_ones(std::string const& user_id, ids const& summaries);
    ids versions_of(std::string const& user_id, std::int64_t id);
    bool may_be_remade(std::string const& user_id, ids const& versions);
    std::int64_t uncover_all(std::string const& user_id, std::string const& session, ids const& versions);
    void remove_summaries(erasure& what, ids const& summaries);
    ids summaries_after(std::string const& user_id, std::string const& session_id, std::int64_t id);
    void erase_turns(erasure& what, ids const& turns);
    void erase_derived_summaries(erasure& what, ids const& summaries);
    struct traces {
        std::vector<std::string> texts;
        std::uint32_t since = 0;  ///< minutes_of(): when the first of them became known
    };
    struct traced_turn;
    void erase_traces(erasure& what, traces const& of);
    void find_traced_turns(erasure& what, traces const& of, telltale const& tell,
                           std::vector<traced_turn>& turns, ids& summaries);
    void rewrite_turn(erasure& what, traced_turn const& turn);
    void erase_mentions(erasure& what, std::string const& text);
    void show_mention(erasure_preview& shown, std::string const& user_id, std::int64_t id,
                      std::string const& text);
    void remove_memory(erasure& what, std::int64_t id);
    void renew_entries(erasure& what, ids const& items);
    void take_out(erasure& what, std::optional<std::int64_t> item);
    erased finish(erasure& what, pending_erasure::kind kind, std::string_view target, base::wall_time at);

    user_writer& users_;
    recall_index& index_;
    pending_queries& pending_;
    outcome_eraser outcomes_;
    statement savepoint_, roll_back_, release_;
    statement memory_, versions_, ended_for_, sources_, covered_, covers_, summaries_after_;
    statement turn_, blank_turn_, uncover_, change_window_;
    statement mentions_in_window_, mentions_in_archive_, mentions_in_summaries_, cut_turn_;
    statement traced_in_window_, traced_in_archive_, traced_summaries_;
    held_memories held_;
    statement rewrite_turn_;
    statement remove_memory_, remove_sources_, remove_turn_sources_;
    statement session_, session_turns_window_, session_turns_archive_, session_memories_, remove_turn_,
        remove_session_;
};

}  // namespace engram::store
