#include "store/sqlite/recall_index.hpp"

namespace engram::store {
namespace {

constexpr std::int64_t items_a_row = 64;

}  // namespace

recall_index::recall_index(connection& db, text_index const* texts)
    : db_(db),
      texts_(texts),
      add_(db.prepare("INSERT OR REPLACE INTO engram_recall(place, entries) VALUES (?1, ?2)")),
      range_(db.prepare("SELECT entries FROM engram_recall WHERE place >= ?1 AND place < ?2 ORDER BY place")),
      remove_range_(db.prepare("DELETE FROM engram_recall WHERE place >= ?1 AND place < ?2")),
      row_before_(db.prepare("SELECT place, entries FROM engram_recall "
                             "WHERE place <= ?1 AND place >= ?2 ORDER BY place DESC LIMIT 1")),
      update_(db.prepare("UPDATE engram_recall SET entries = ?2 WHERE place = ?1")),
      remove_row_(db.prepare("DELETE FROM engram_recall WHERE place = ?1")),
      remove_vector_(db.prepare("DELETE FROM engram_vector WHERE place = ?1")),
      some_rows_(db.prepare("SELECT place, entries FROM engram_recall WHERE place >= ?1 AND place < ?2 "
                            "ORDER BY place LIMIT ?3")),
      remove_vectors_(db.prepare("DELETE FROM engram_vector WHERE place IN (SELECT place FROM engram_vector "
                                 "WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3)")) {}

new_entry recall_index::prepare(user_row& user, std::string_view text, text_kind kind) {
    new_entry made;
    if (texts_ == nullptr) return made;
    made.entry = texts_->entry(text, kind);
    made.item = take_item(user, made.entry);
    return made;
}

std::optional<std::int64_t> recall_index::take_item(user_row& user, std::string_view entry) {
    return entry.empty() ? std::nullopt : std::optional(user.next_item++);
}

void recall_index::put(user_row const& user, new_entry const& entry, bool is_memory, std::int64_t row,
                       std::uint32_t session, std::uint32_t minutes) {
    put(user, entry.item, entry.entry, is_memory, row, session, minutes);
}

void recall_index::put(user_row const& user, std::optional<std::int64_t> item, std::string_view entry,
                       bool is_memory, std::int64_t row, std::uint32_t session, std::uint32_t minutes) {
    if (!item) return;
    std::string block;
    append_record(block, {*item, is_memory, row, session, minutes, entry});
    add_.run(place_of(user.key, *item), blob{block});
    if (*item > 0 && *item % items_a_row == 0) pack(user.key, *item - items_a_row, *item);
}

void recall_index::pack(std::int64_t user_key, std::int64_t first, std::int64_t end) {
    std::string block;
    std::size_t rows = 0;
    {
        auto found = range_.query(place_of(user_key, first), place_of(user_key, end));
        for (; found.next(); ++rows)
            block += found.bytes(0);
    }
    if (rows < 2) return;
    remove_range_.run(place_of(user_key, first), place_of(user_key, end));
    add_.run(place_of(user_key, first), blob{block});
}

recall_index::removal recall_index::remove(std::int64_t user_key, std::int64_t item) {
    removal removed;
    std::string left;
    std::int64_t place = 0;
    bool changed = false;
    {
        auto found = row_before_.query(place_of(user_key, item), place_of(user_key, 0));
        if (found.next()) {
            place = found.integer(0);
            record_reader records(found.bytes(1));
            while (auto const record = records.next()) {
                if (record->item == item)
                    removed.entry = true;
                else
                    append_record(left, *record);
            }
            // What stands behind a damage cannot be told apart: it may be what is to go.
            changed = left.size() != found.bytes(1).size();
        }
    }
    if (changed && left.empty()) remove_row_.run(place);
    if (changed && !left.empty()) update_.run(place, blob{left});
    remove_vector_.run(place_of(user_key, item));
    removed.vector = db_.changes() > 0;
    return removed;
}

bool recall_index::holds(std::int64_t user_key, std::int64_t item) {
    auto found = row_before_.query(place_of(user_key, item), place_of(user_key, 0));
    if (!found.next()) return false;
    record_reader records(found.bytes(1));
    while (auto const record = records.next())
        if (record->item == item) return true;
    return false;
}

recall_index::removals recall_index::remove_some(std::int64_t user_key, std::size_t most) {
    removals removed;
    auto const from = place_of(user_key, 0), end = place_of(user_key + 1, 0);
    std::int64_t last = from - 1;
    {
        auto found = some_rows_.query(from, end, most);
        for (; found.next(); ++removed.rows) {
            last = found.integer(0);
            record_reader records(found.bytes(1));
            while (records.next())
                ++removed.entries;
        }
    }
    remove_range_.run(from, last + 1);
    remove_vectors_.run(from, end, most - removed.rows);
    removed.vectors = static_cast<std::size_t>(db_.changes());
    removed.rows += removed.vectors;
    return removed;
}

}  // namespace engram::store
