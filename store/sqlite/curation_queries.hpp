// Corrections by hand, and what a consolidation does.
#pragma once

#include "store/memories.hpp"
#include "store/sqlite/memory_writer.hpp"
#include "store/sqlite/outdating.hpp"
#include "store/sqlite/text_analysis.hpp"
#include "store/upkeep.hpp"

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
class curation_queries {
public:
    /// `texts` may be null.
    curation_queries(connection& db, user_writer& users, memory_writer& memories, text_index const* texts,
                     outdated_summaries& outdated);

    // `text` and `texts` are what was made of new content before the transaction.

    [[nodiscard]] changed_memory add(std::string const& user_id, new_memory const& what,
                                     analysed_text const& text, base::wall_time at);
    /// `text` is not looked at where the content stays as it was.
    [[nodiscard]] std::optional<changed_memory> change(std::string const& user_id, memory_change const& what,
                                                       analysed_text const& text, base::wall_time at);
    [[nodiscard]] std::optional<memory_record> restore(std::string const& user_id, std::int64_t id,
                                                       base::wall_time at);
    [[nodiscard]] std::optional<std::size_t> consolidate(consolidation_task const& task,
                                                         std::vector<consolidation_step> const& steps,
                                                         std::vector<analysed_text> const& texts,
                                                         base::wall_time at);

private:
    changed_memory changed(std::string const& user_id, saved_memory const& saved, std::int64_t superseded);
    std::size_t replace(user_row& user, consolidation_step const& step, analysed_text const& text,
                        memory_origin const& origin);

    user_writer& users_;
    memory_writer& memories_;
    text_index const* texts_;
    outdated_summaries& outdated_;
    statement consolidated_;
};

}  // namespace engram::store
