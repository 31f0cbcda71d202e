// What a user has taken back, kept out of what is shown to a model.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/text_index.hpp"
#include "store/types.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

/// What one user has taken back, as of the moment in which it was read.
struct taken_back {
    struct one {
        std::int64_t id = 0;
        std::string known_from, known_to;  ///< UTC text
    };
    std::vector<one> memories;  ///< as the telltale numbers them
    std::unique_ptr<telltale> traces;
};

/// Statements on any connection, which must outlive them. Each call belongs inside a transaction. `texts` may
/// be null: then nothing is cut. Throws sqlite_error.
///
/// Taken back is what was forgotten by a note, and what something else took the place of: by a note, by hand
/// or by a consolidation. What ended because there were too many of its type was not: it is true still. The
/// texts stay as they are stored, for people and for a restoring; they are cut when they are read.
class past_queries {
public:
    past_queries(connection& db, text_index const* texts);

    /// Null: this user has taken nothing back. The newest 300 memories are looked for.
    [[nodiscard]] std::unique_ptr<taken_back> load(std::string const& user_id);

    // Each cuts what tells of the past out of a text; true: it was changed, and may be blank now.

    bool cut_turn(taken_back const& past, turn& from, std::string_view created_at);
    bool cut_summary(taken_back const& past, std::int64_t id, std::string& text, std::string_view created_at);
    /// A summary that is not stored yet, of these turns.
    bool cut_new_summary(taken_back const& past, std::vector<turn> const& of, std::string& text);

private:
    bool is_source(std::int64_t memory, std::int64_t turn);

    text_index const* texts_;
    statement any_, past_, source_, covers_source_;
};

}  // namespace engram::store
