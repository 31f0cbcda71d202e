// The search index of each user's texts: written with them, in the same transaction, and gone with them. The
// turns of an exchange share one entry, and are one item.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/recall_block.hpp"
#include "store/sqlite/user_queries.hpp"
#include "store/text_index.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace engram::store {

/// A text on its way into the index.
struct new_entry {
    std::optional<std::int64_t> item;  ///< none: the text has nothing to find
    std::string entry;
};

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
///
/// A new text gets a row of its own. Each time `items_a_row` items are full their rows become one: a search
/// then reads a few long rows instead of many short ones.
class recall_index {
public:
    /// A longer row is written anew for too much at a time, a shorter one makes too many to read.
    static constexpr std::int64_t items_a_row = 64;

    /// `texts` may be null: then nothing is indexed. It must outlive this.
    recall_index(connection& db, text_index const* texts);

    /// Takes the next place of the user's index for an entry; none if there is nothing to be found by. To be
    /// followed by put() once the row of the text has its id.
    [[nodiscard]] static std::optional<std::int64_t> take_item(user_row& user, std::string_view entry);
    void put(user_row const& user, std::optional<std::int64_t> item, std::string_view entry, bool is_memory,
             std::int64_t row, std::uint32_t session, std::uint32_t minutes);
    /// Both for a text that was read from the database. Makes its entry, which takes its time.
    [[nodiscard]] new_entry prepare(user_row& user, std::string_view text, text_kind kind);
    void put(user_row const& user, new_entry const& entry, bool is_memory, std::int64_t row,
             std::uint32_t session, std::uint32_t minutes);
    /// The same for the turns of one exchange, by their ids, which ascend; at most most_turns_a_record.
    void put_turns(user_row const& user, std::optional<std::int64_t> item, std::string_view entry,
                   std::span<std::int64_t const> turns, std::uint32_t session, std::uint32_t minutes);
    /// Takes a text out, with its vector. Returns whether there was one, and whether there was a vector.
    struct removal {
        bool entry = false, vector = false;
    };
    removal remove(std::int64_t user_key, std::int64_t item);
    /// After turns of an exchange were changed, or blanked or removed and are not of this item any more: its
    /// entry is made of what is left, or goes; its vector goes. `joining`: a turn that is new in it, if not
    /// 0.
    removal renew(std::int64_t user_key, std::int64_t item, std::int64_t joining = 0);
    /// What a text in the index stands for; none if it is not there.
    struct found_record {
        std::vector<std::int64_t> rows;  ///< ids of the exchange's turns, or of the memory
        bool is_memory;
        std::uint32_t session, minutes;
    };
    [[nodiscard]] std::optional<found_record> find(std::int64_t user_key, std::int64_t item);
    /// At most `most` rows of a user; how many texts, vectors and rows that were.
    struct removals {
        std::size_t entries = 0, vectors = 0, rows = 0;
    };
    removals remove_some(std::int64_t user_key, std::size_t most);

    [[nodiscard]] text_index const* texts() const { return texts_; }

private:
    struct kept_turns {
        std::vector<std::int64_t> ids;
        std::string entry;
    };

    void add(user_row const& user, recall_record const& record);
    void pack(std::int64_t user_key, std::int64_t first, std::int64_t end);
    removal replace(std::int64_t user_key, std::int64_t item, std::string_view by);
    kept_turns read_turns(std::vector<std::int64_t> const& ids, std::int64_t item);

    connection& db_;
    text_index const* texts_;
    statement add_;
    statement range_;
    statement remove_range_;
    statement row_before_;
    statement update_;
    statement remove_row_;
    statement remove_vector_;
    statement some_rows_;
    statement remove_vectors_;
    statement turn_;
    statement not_indexed_;
    statement embed_from_;
};

}  // namespace engram::store
