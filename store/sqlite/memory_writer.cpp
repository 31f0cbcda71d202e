#include "store/sqlite/memory_writer.hpp"

#include "store/memory_rules.hpp"

#include <algorithm>
#include <vector>

namespace engram::store {
namespace {

// The newest are compared while nobody else can write; consolidation, where it is on, finds a
// duplicate too many.
constexpr std::size_t most_compared = 2'000;  // memories of one type

std::optional<std::int64_t> expiry(new_memory const& note, base::wall_time at) {
    if (note.lifetime.count() <= 0) return std::nullopt;
    return base::to_unix_ms(at + note.lifetime);
}

}  // namespace

memory_writer::memory_writer(connection& db, recall_index& index)
    : db_(db),
      index_(index),
      same_type_(db.prepare("SELECT id, content, fingerprint FROM long_term_memory "
                            "INDEXED BY engram_memory_current_type WHERE user_id = ?1 AND memory_type = ?2 "
                            "AND valid_to IS NULL ORDER BY id DESC LIMIT ?3")),
      insert_(
          db.prepare("INSERT INTO long_term_memory(user_id, memory_type, content, created_at, updated_at, "
                     "session_id, job_id, label, item, fingerprint, last_seen, valid_from, expires_at, "
                     "pinned) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?4, ?4, ?10, ?11)")),
      confirm_(
          db.prepare("UPDATE long_term_memory SET last_seen = ?2, times_seen = times_seen + 1, "
                     "expires_at = CASE WHEN expires_at <= ?5 THEN ?3 ELSE coalesce(?3, expires_at) END, "
                     "pinned = max(pinned, ?4) WHERE id = ?1")),
      add_source_(db.prepare("INSERT OR IGNORE INTO engram_memory_source"
                             "(memory_id, user_turn, assistant_turn, session_id, job_id, at) "
                             "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")),
      find_(db.prepare(select(memory_columns_read, "FROM long_term_memory WHERE id = ?1 AND user_id = ?2"))),
      find_current_(db.prepare(select(memory_columns_read,
                                      "FROM long_term_memory INDEXED BY engram_memory_by_label "
                                      "WHERE user_id = ?1 AND label = ?2 AND valid_to IS NULL"))),
      item_of_(db.prepare("SELECT item FROM long_term_memory WHERE id = ?1 AND item IS NOT NULL")),
      end_(db.prepare("UPDATE long_term_memory SET valid_to = ?2, updated_at = ?2, superseded_by = ?3, "
                      "item = NULL WHERE id = ?1")),
      restore_(
          // One whose time was over meanwhile would be gone again at once.
          db.prepare("UPDATE long_term_memory SET valid_to = NULL, updated_at = ?2, superseded_by = NULL, "
                     "item = ?3, expires_at = CASE WHEN expires_at > ?4 THEN expires_at END WHERE id = ?1")),
      inherit_expiry_(db.prepare("UPDATE long_term_memory SET expires_at = (SELECT min(expires_at) "
                                 "FROM long_term_memory WHERE id IN (?1, ?2)) WHERE id = ?1")),
      inherit_sources_(db.prepare("INSERT OR IGNORE INTO engram_memory_source"
                                  "(memory_id, user_turn, assistant_turn, session_id, job_id, at) "
                                  "SELECT ?1, user_turn, assistant_turn, session_id, job_id, at "
                                  "FROM engram_memory_source WHERE memory_id = ?2")),
      inherit_times_(db.prepare("UPDATE long_term_memory SET times_seen = 1 + "
                                "(SELECT times_seen FROM long_term_memory WHERE id = ?2) WHERE id = ?1")),
      rewrite_(db.prepare("UPDATE long_term_memory SET content = ?2, updated_at = ?3, item = ?4, "
                          "fingerprint = ?5 WHERE id = ?1")),
      remove_(db.prepare("DELETE FROM long_term_memory WHERE id = ?1")),
      remove_sources_(db.prepare("DELETE FROM engram_memory_source WHERE memory_id = ?1")),
      pin_(db.prepare("UPDATE long_term_memory SET pinned = ?2, updated_at = ?3 WHERE id = ?1")),
      keep_expiry_(db.prepare("UPDATE long_term_memory SET expires_at = "
                              "(SELECT expires_at FROM long_term_memory WHERE id = ?2) WHERE id = ?1")),
      count_type_(db.prepare("SELECT count(*) FROM long_term_memory INDEXED BY engram_memory_current_type "
                             "WHERE user_id = ?1 AND memory_type = ?2 AND valid_to IS NULL")),
      least_seen_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_current_type "
                             "WHERE user_id = ?1 AND memory_type = ?2 AND valid_to IS NULL AND pinned = 0 "
                             "AND id <> ?3 ORDER BY last_seen, id LIMIT ?4")) {}

std::optional<saved_memory> memory_writer::apply(user_row& user, new_memory const& note,
                                                 analysed_text const& text, memory_origin const& origin) {
    if (note.what == new_memory::kind::add) return add(user, note, text, origin);
    auto const old = find_current(origin.user_id, note.label);
    if (!old || !may_be_noted(old->what)) return std::nullopt;
    if (note.what == new_memory::kind::update) return supersede(user, *old, note, text, origin);
    end(user, old->what.id, 0, origin.at);
    note_source(old->what.id, origin);
    return saved_memory{old->what.id, old->what.type, old->what.content, "forgotten"};
}

saved_memory memory_writer::add(user_row& user, new_memory const& note, analysed_text const& text,
                                memory_origin const& origin) {
    auto const known = find_duplicate(origin.user_id, note.type, note.content, text.fingerprint, 0);
    auto const step = decide_addition(note, known != 0);
    if (step == note_step::insert) {
        auto const id = insert(user, note, text, user.next_label++, origin);
        ++user.notes;
        keep_within(user, note, id, origin);
        return {id, note.type, note.content, std::string(action_of(step))};
    }
    if (step == note_step::confirm)
        confirm(known, note, origin);
    else
        note_source(known, origin);  // it repeats the words all the same
    auto const row = find(origin.user_id, known);
    return {known, note.type, row ? row->what.content : note.content, std::string(action_of(step))};
}

std::int64_t memory_writer::add_summary(user_row& user, std::string const& content, analysed_text const& text,
                                        memory_origin const& origin) {
    new_memory const note{.type = "summary", .content = content};
    return insert(user, note, text, user.next_label++, origin);
}

saved_memory memory_writer::supersede(user_row& user, memory_record const& old, new_memory const& note,
                                      analysed_text const& text, memory_origin const& origin) {
    auto const version = as_version(old.what, note);
    auto const known =
        find_duplicate(origin.user_id, version.type, version.content, text.fingerprint, old.what.id);
    auto const step = decide_change(old.what, version, known != 0);
    saved_memory saved{known, version.type, version.content, std::string(action_of(step))};
    if (step == note_step::confirm) {
        saved.id = old.what.id;
        confirm(saved.id, version, origin);
    } else if (step == note_step::merge) {
        confirm(known, version, origin);
        end(user, old.what.id, known, origin.at);
    } else {
        saved.id = insert(user, version, text, old.what.label, origin);
        inherit_times_.run(saved.id, old.what.id);
        if (keeps_expiry(old.what, version)) keep_expiry_.run(saved.id, old.what.id);
        end(user, old.what.id, saved.id, origin.at);
        ++user.notes;
        keep_within(user, version, saved.id, origin);
    }
    return saved;
}

std::int64_t memory_writer::find_duplicate(std::string_view user_id, std::string_view type,
                                           std::string_view content, std::string_view fingerprint,
                                           std::int64_t besides) {
    duplicate_search search(index_.texts(), content, fingerprint);
    auto found = same_type_.query(user_id, type, most_compared);
    while (found.next()) {
        if (found.integer(0) == besides) continue;
        auto const theirs = found.is_null(2) ? std::nullopt : std::optional(found.bytes(2));
        if (search.see(found.integer(0), found.bytes(1), theirs)) break;
    }
    return search.found();
}

void memory_writer::confirm(std::int64_t id, new_memory const& note, memory_origin const& origin) {
    confirm_.run(id, base::to_utc_text(origin.at), expiry(note, origin.at), std::int64_t{note.pinned ? 1 : 0},
                 base::to_unix_ms(origin.at));
    note_source(id, origin);
}

std::int64_t memory_writer::insert(user_row& user, new_memory const& note, analysed_text const& text,
                                   std::int64_t label, memory_origin const& origin) {
    auto const item = recall_index::take_item(user, text.entry);
    auto const at = base::to_utc_text(origin.at);
    insert_.run(origin.user_id, note.type, note.content, at, origin.session_id, origin.job_id, label, item,
                blob{text.fingerprint}, expiry(note, origin.at), std::int64_t{note.pinned ? 1 : 0});
    auto const id = db_.last_insert_id();
    index_.put(user, item, text.entry, true, id,
               origin.session_id.empty() ? 0 : session_hash(origin.session_id), minutes_of(at));
    note_source(id, origin);
    return id;
}

void memory_writer::note_source(std::int64_t id, memory_origin const& origin) {
    if (origin.user_turn == 0) return;
    add_source_.run(id, origin.user_turn, origin.assistant_turn, origin.session_id, origin.job_id,
                    base::to_utc_text(origin.at));
}

void memory_writer::keep_within(user_row const& user, new_memory const& note, std::int64_t newest,
                                memory_origin const& origin) {
    if (note.most_of_type == 0) return;
    std::size_t count = 0;
    {
        auto found = count_type_.query(origin.user_id, note.type);
        if (found.next()) count = static_cast<std::size_t>(found.integer(0));
    }
    if (count <= note.most_of_type) return;
    std::vector<std::int64_t> over;
    {
        auto found = least_seen_.query(origin.user_id, note.type, newest, count - note.most_of_type);
        while (found.next())
            over.push_back(found.integer(0));
    }
    // Not in the moment of the exchange: what ends in the moment of one of its sources was forgotten by that.
    for (auto const id : over)
        end(user, id, 0, origin.at + std::chrono::milliseconds(1));
}

void memory_writer::take_out(user_row const& user, std::int64_t id) {
    std::optional<std::int64_t> item;
    {
        auto found = item_of_.query(id);
        if (found.next()) item = found.integer(0);
    }
    if (item) index_.remove(user.key, *item);
}

void memory_writer::rewrite(user_row& user, memory_record const& old, std::string const& content,
                            analysed_text const& text, base::wall_time at) {
    auto const& memory = old.what;
    take_out(user, memory.id);
    auto const item = recall_index::take_item(user, text.entry);
    rewrite_.run(memory.id, content, base::to_utc_text(at), item, blob{text.fingerprint});
    index_.put(user, item, text.entry, true, memory.id,
               memory.session_id.empty() ? 0 : session_hash(memory.session_id),
               minutes_of(memory.created_at));
}

void memory_writer::remove(user_row const& user, std::int64_t id) {
    take_out(user, id);
    remove_sources_.run(id);
    remove_.run(id);
}

void memory_writer::end(user_row const& user, std::int64_t id, std::int64_t by, base::wall_time at) {
    take_out(user, id);
    end_.run(id, base::to_utc_text(at), by == 0 ? std::nullopt : std::optional(by));
}

void memory_writer::restore(user_row& user, memory_record const& past, base::wall_time at) {
    auto const& memory = past.what;
    auto const entry = index_.prepare(user, memory.content, text_kind::memory);
    restore_.run(memory.id, base::to_utc_text(at), entry.item, base::to_unix_ms(at));
    index_.put(user, entry, true, memory.id, memory.session_id.empty() ? 0 : session_hash(memory.session_id),
               minutes_of(memory.created_at));
}

void memory_writer::inherit(std::int64_t id, std::int64_t from) {
    inherit_expiry_.run(id, from);
    inherit_sources_.run(id, from);
}

void memory_writer::pin(std::int64_t id, bool pinned, base::wall_time at) {
    pin_.run(id, std::int64_t{pinned ? 1 : 0}, base::to_utc_text(at));
}

std::optional<memory_record> memory_writer::find(std::string_view user_id, std::int64_t id) {
    auto found = find_.query(id, user_id);
    if (!found.next()) return std::nullopt;
    return read_memory_record(found);
}

std::optional<memory_record> memory_writer::find_current(std::string_view user_id, std::int64_t label) {
    auto found = find_current_.query(user_id, label);
    if (!found.next()) return std::nullopt;
    return read_memory_record(found);
}

}  // namespace engram::store
