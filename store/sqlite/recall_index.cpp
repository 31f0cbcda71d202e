#include "store/sqlite/recall_index.hpp"

#include "store/sqlite/memory_rows.hpp"

#include <algorithm>

namespace engram::store {

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
                                 "WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3)")),
      turn_(db.prepare("SELECT role, content FROM conversation_history WHERE id = ?1 AND item = ?2")),
      not_indexed_(db.prepare("UPDATE conversation_history SET item = NULL WHERE id = ?1")),
      embed_from_(db.prepare("UPDATE engram_user SET embedded_items = min(embedded_items, ?2) "
                             "WHERE user_key = ?1")) {}

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
    if (item)
        add(user, {.item = *item,
                   .is_memory = is_memory,
                   .row = row,
                   .session = session,
                   .minutes = minutes,
                   .entry = entry});
}

void recall_index::put_turns(user_row const& user, std::optional<std::int64_t> item, std::string_view entry,
                             std::span<std::int64_t const> turns, std::uint32_t session,
                             std::uint32_t minutes) {
    if (!item) return;
    auto const later = later_turns_of(turns);
    add(user, {.item = *item,
               .row = turns.front(),
               .later_turns = later,
               .turns = turns.size(),
               .session = session,
               .minutes = minutes,
               .entry = entry});
}

void recall_index::add(user_row const& user, recall_record const& record) {
    std::string block;
    append_record(block, record);
    auto const item = record.item;
    add_.run(place_of(user.key, item), blob{block});
    if (item > 0 && item % items_a_row == 0) pack(user.key, item - items_a_row, item);
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
    return replace(user_key, item, {});
}

// `by`: the record that takes the place of the old one; empty: none does.
recall_index::removal recall_index::replace(std::int64_t user_key, std::int64_t item, std::string_view by) {
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
                if (record->item != item) {
                    append_record(left, *record);
                    continue;
                }
                removed.entry = true;
                left += by;
            }
            // What stands behind a damage cannot be told apart: it may be what is to go.
            changed = left != found.bytes(1);
        }
    }
    if (changed && left.empty()) remove_row_.run(place);
    if (changed && !left.empty()) update_.run(place, blob{left});
    remove_vector_.run(place_of(user_key, item));
    removed.vector = db_.changes() > 0;
    return removed;
}

recall_index::removal recall_index::renew(std::int64_t user_key, std::int64_t item, std::int64_t joining) {
    auto known = find(user_key, item);
    if (!known || known->is_memory || texts_ == nullptr) return remove(user_key, item);
    if (joining != 0) known->rows.push_back(joining);
    std::ranges::sort(known->rows);
    auto const kept = read_turns(known->rows, item);
    std::string record;
    if (!kept.entry.empty()) {
        auto const later = later_turns_of(kept.ids);
        append_record(record, {.item = item,
                               .row = kept.ids.front(),
                               .later_turns = later,
                               .turns = kept.ids.size(),
                               .session = known->session,
                               .minutes = known->minutes,
                               .entry = kept.entry});
        embed_from_.run(user_key, item);
    } else {
        for (auto const id : kept.ids)
            not_indexed_.run(id);
    }
    return replace(user_key, item, record);
}

std::optional<recall_index::found_record> recall_index::find(std::int64_t user_key, std::int64_t item) {
    auto found = row_before_.query(place_of(user_key, item), place_of(user_key, 0));
    if (!found.next()) return std::nullopt;
    record_reader records(found.bytes(1));
    while (auto const record = records.next())
        if (record->item == item)
            return found_record{rows_of(*record), record->is_memory, record->session, record->minutes};
    return std::nullopt;
}

recall_index::kept_turns recall_index::read_turns(std::vector<std::int64_t> const& ids, std::int64_t item) {
    kept_turns kept;
    std::vector<std::string> texts;
    std::vector<spoken> turns;
    texts.reserve(ids.size());  // viewed by `turns`
    for (auto const id : ids) {
        auto found = turn_.query(id, item);
        if (!found.next()) continue;
        kept.ids.push_back(id);
        turns.push_back({texts.emplace_back(found.text(1)), kind_of_turn(found.bytes(0))});
    }
    if (!turns.empty()) kept.entry = texts_->exchange_entry(turns);
    return kept;
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
