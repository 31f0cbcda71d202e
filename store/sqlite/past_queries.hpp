// What a user has taken back, kept out of what is shown to a model.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/held_memories.hpp"
#include "store/text_index.hpp"
#include "store/types.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

/// What one user has taken back, as of the moment in which it was read.
struct taken_back {
    struct one {
        std::int64_t id = 0;
        std::uint32_t known_from = 0, known_to = 0;  ///< minutes_of()
    };
    std::string user_id;
    std::vector<one> memories;  ///< as the telltale numbers them
    std::unique_ptr<telltale> traces;
    mutable bool holds_current = false;  ///< what holds now is only read once something would be cut
};

/// Statements on any connection, which must outlive them. Each call belongs inside a transaction. `texts` may
/// be null: then nothing is cut. Throws sqlite_error.
///
/// Taken back is what was forgotten by a note, and what something else took the place of: by a note, by hand
/// or by a consolidation. What ended because there were too many of its type was not: it is true still. The
/// texts stay as they are stored, for people and for a restoring; they are cut when they are read. What a
/// current memory says (held_memories) gives nothing away by itself.
class past_queries {
public:
    past_queries(connection& db, text_index const* texts);

    /// Null: this user has taken nothing back. The newest 300 memories are looked for.
    [[nodiscard]] std::unique_ptr<taken_back> load(std::string const& user_id);
    /// Only what was taken back at that time, which is UTC text.
    [[nodiscard]] std::unique_ptr<taken_back> load_ended_at(std::string const& user_id,
                                                            std::string const& at);

    // Each cuts what tells of the past out of a text; true: it was changed, and may be blank now.

    bool cut_turn(taken_back const& past, turn& from, std::string_view created_at);
    /// A stored one, or what is to be written in its place at `until` (UTC text; empty: it is not). It was
    /// made of others from `created_at` until it was written last.
    bool cut_summary(taken_back const& past, std::int64_t id, std::string& text, std::string_view created_at,
                     std::string_view until = {});
    /// A summary that is not stored yet, of these turns, as of `at` (UTC text): what has been taken back
    /// while a model wrote it may stand in it in any words.
    bool cut_new_summary(taken_back const& past, std::vector<turn> const& of, std::string& text,
                         std::string_view at);

private:
    std::unique_ptr<taken_back> read(std::string const& user_id, std::string const& ended_at);
    std::string replacement_of(std::string const& user_id, std::int64_t label, std::int64_t by);
    void hold_current(taken_back const& past);
    bool cut(taken_back const& past, std::string& text, std::function<kinship(std::size_t)> const& of);
    bool is_source(std::int64_t memory, std::int64_t turn);
    std::uint32_t last_written(std::int64_t summary);

    text_index const* texts_;
    statement any_, past_, current_of_, memory_;
    held_memories held_;
    statement source_, covers_source_, written_;
};

}  // namespace engram::store
