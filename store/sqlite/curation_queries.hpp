// Corrections by hand, and what a consolidation does.
#pragma once

#include "store/sqlite/memory_writer.hpp"

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
class curation_queries {
public:
    curation_queries(connection& db, user_writer& users, memory_writer& memories);

    [[nodiscard]] changed_memory add(std::string const& user_id, new_memory const& what, base::wall_time at);
    [[nodiscard]] std::optional<changed_memory> change(std::string const& user_id, memory_change const& what,
                                                       base::wall_time at);
    [[nodiscard]] std::optional<memory_record> restore(std::string const& user_id, std::int64_t id,
                                                       base::wall_time at);
    [[nodiscard]] std::optional<std::size_t> consolidate(consolidation_task const& task,
                                                         std::vector<consolidation_step> const& steps,
                                                         base::wall_time at);

private:
    changed_memory changed(std::string const& user_id, saved_memory const& saved, std::int64_t superseded);
    std::size_t replace(user_row& user, consolidation_step const& step, memory_origin const& origin);

    user_writer& users_;
    memory_writer& memories_;
    statement consolidated_;
};

}  // namespace engram::store
