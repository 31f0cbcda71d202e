#include "store/sqlite/user_queries.hpp"

#include "base/digest.hpp"

namespace engram::store {
namespace {

constexpr std::size_t digest_bytes = 16;

}  // namespace

std::string digest_of_user(std::string_view user_id) {
    return base::sha256(user_id).substr(0, digest_bytes);
}

user_reader::user_reader(connection& db)
    : find_(db.prepare("SELECT user_key, next_label, next_item, notes, deletions, forgets, forgotten_at "
                       "FROM engram_user WHERE digest = ?1")) {}

user_row user_reader::find(std::string_view user_id) {
    auto const digest = digest_of_user(user_id);
    auto found = find_.query(blob{digest});
    if (!found.next()) return {};
    return {found.integer(0),
            found.integer(1),
            found.integer(2),
            found.integer(3),
            {found.integer(4), found.integer(5)},
            found.integer(6)};
}

user_writer::user_writer(connection& db)
    : db_(db),
      reader_(db),
      add_(db.prepare("INSERT INTO engram_user(digest) VALUES (?1)")),
      save_(db.prepare("UPDATE engram_user SET next_label = ?2, next_item = ?3, notes = ?4 "
                       "WHERE user_key = ?1")),
      // Upkeep has to find the user by the number.
      name_(db.prepare("UPDATE engram_user SET user_id = ?2 WHERE user_key = ?1 AND user_id IS NULL")),
      count_deletion_(db.prepare("UPDATE engram_user SET deletions = deletions + 1 WHERE user_key = ?1")),
      // next_item goes on: a vector that is being made for an old place must not meet a new text there.
      forget_(db.prepare("UPDATE engram_user SET user_id = NULL, next_label = 1, notes = 0, "
                         "deletions = deletions + 1, "
                         "forgets = forgets + ?3, forgotten_at = ?2, consolidated_at = 0, "
                         "consolidation_until = 0, embedded_items = 0 WHERE user_key = ?1")),
      know_forgotten_(
          db.prepare("INSERT INTO engram_user(digest, forgets, forgotten_at) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT(digest) DO UPDATE SET forgets = max(forgets, excluded.forgets), "
                     "forgotten_at = max(forgotten_at, excluded.forgotten_at)")) {}

user_row user_writer::find_or_add(std::string_view user_id) {
    auto user = reader_.find(user_id);
    if (user.key != 0) return user;
    auto const digest = digest_of_user(user_id);
    add_.run(blob{digest});
    user.key = db_.last_insert_id();
    return user;
}

void user_writer::save(user_row const& user) {
    save_.run(user.key, user.next_label, user.next_item, user.notes);
}

void user_writer::name(std::int64_t key, std::string_view user_id) {
    name_.run(key, user_id);
}

void user_writer::count_deletion(std::int64_t key) {
    count_deletion_.run(key);
}

void user_writer::forget(std::int64_t key, std::int64_t at_ms, bool counts) {
    forget_.run(key, at_ms, std::int64_t{counts ? 1 : 0});
}

void user_writer::know_forgotten(std::string_view digest, std::int64_t forgets, std::int64_t at_ms) {
    know_forgotten_.run(blob{digest}, forgets, at_ms);
}

}  // namespace engram::store
