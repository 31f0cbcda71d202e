#include "store/sqlite/exchange_indexer.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/memory_rows.hpp"

namespace engram::store {

exchange_indexer::exchange_indexer(connection& db, user_writer& users, recall_index& index)
    : users_(users),
      index_(index),
      window_before_(db.prepare("SELECT id, role, job_id, item "
                                "FROM conversation_history INDEXED BY engram_history_window "
                                "WHERE user_id = ?1 AND session_id = ?2 AND id < ?3 AND summary_id IS NULL "
                                "AND role IN ('user', 'assistant') ORDER BY id DESC LIMIT 1")),
      archive_before_(
          db.prepare("SELECT id, role, job_id, item "
                     "FROM conversation_history INDEXED BY engram_history_archive "
                     "WHERE user_id = ?1 AND session_id = ?2 AND id < ?3 AND role IN ('user', 'assistant') "
                     "AND (summary_id IS NOT NULL OR role IS NULL OR role NOT IN ('user', 'assistant')) "
                     "ORDER BY id DESC LIMIT 1")),
      note_(db.prepare("UPDATE conversation_history SET item = ?2, job_id = coalesce(job_id, '') "
                       "WHERE id = ?1")) {}

void exchange_indexer::begin() {
    groups_.clear();
    open_.clear();
    noted_ = 0;
}

void exchange_indexer::add(stored_turn turn) {
    if (index_.texts() == nullptr) return;
    auto const key = std::pair(turn.user_id, turn.session_id);
    // Turns of no session have nothing to do with each other.
    bool const alone = turn.session_id.empty();
    auto const known = alone ? open_.end() : open_.find(key);
    if (base::is_blank(turn.content)) {
        // What is said next answers this one, and no earlier one.
        if (known == open_.end() || !turn.job_id.empty() || turn.role != "user") return;
        close(groups_[known->second]);
        open_.erase(known);
        return;
    }
    if (known != open_.end()) {
        auto& last = groups_[known->second];
        if (continues(last, turn)) return append(last, std::move(turn));
        close(last);
    } else if (!alone) {
        if (auto earlier = carried_on_by(turn)) {
            open_[key] = groups_.size();
            return append(groups_.emplace_back(std::move(*earlier)), std::move(turn));
        }
    }
    if (!alone) open_[key] = groups_.size();
    groups_.emplace_back();
    append(groups_.back(), std::move(turn));
    if (alone) close(groups_.back());
}

bool exchange_indexer::continues(group const& one, stored_turn const& turn) {
    if (one.size >= most_turns_a_record || one.first.job_id != turn.job_id) return false;
    return !turn.job_id.empty() || (one.of_the_user && turn.role == "assistant");
}

void exchange_indexer::append(group& to, stored_turn turn) {
    ++to.size;
    if (to.item) {
        note(turn.id, to.item);
        index_.renew(users_.find(turn.user_id).key, *to.item, turn.id);
        return;
    }
    to.ids.push_back(turn.id);
    to.kinds.push_back(kind_of_turn(turn.role));
    to.texts.push_back(std::move(turn.content));
    if (to.size > 1) return;
    to.of_the_user = to.kinds.back() == text_kind::user_turn;
    turn.content.clear();
    to.first = std::move(turn);
}

// Texts may be long, and many sessions may be open: only what is made of them is kept.
void exchange_indexer::close(group& one) const {
    if (one.texts.empty()) return;
    std::vector<spoken> turns;
    for (std::size_t i = 0; i < one.texts.size(); ++i)
        turns.push_back({one.texts[i], one.kinds[i]});
    one.entry = index_.texts()->exchange_entry(turns);
    one.texts.clear();
}

std::size_t exchange_indexer::finish() {
    for (auto& one : groups_) {
        close(one);
        if (!one.item) write(one);
    }
    auto const noted = noted_;
    begin();
    return noted;
}

void exchange_indexer::note(std::int64_t turn, std::optional<std::int64_t> item) {
    note_.run(turn, item);
    ++noted_;
}

void exchange_indexer::write(group const& one) {
    auto user = users_.find_or_add(one.first.user_id);
    auto const item = recall_index::take_item(user, one.entry);
    if (!item) return;
    index_.put_turns(user, item, one.entry, one.ids, session_hash(one.first.session_id),
                     minutes_of(one.first.created_at));
    for (auto const id : one.ids)
        note(id, item);
    users_.save(user);
}

std::optional<exchange_indexer::group> exchange_indexer::carried_on_by(stored_turn const& turn) {
    if (turn.job_id.empty() && turn.role != "assistant") return std::nullopt;
    auto const before = turn_before(turn);
    if (!before.item || before.job_id != turn.job_id) return std::nullopt;
    auto const record = index_.find(users_.find(turn.user_id).key, *before.item);
    if (!record || record->is_memory || record->rows.back() != before.id) return std::nullopt;
    group earlier;
    earlier.first = turn;
    earlier.first.content.clear();
    earlier.item = before.item;
    earlier.size = record->rows.size();
    // One of the assistant has company only if the user's was there before.
    earlier.of_the_user = before.by_user || earlier.size > 1;
    return continues(earlier, turn) ? std::optional(std::move(earlier)) : std::nullopt;
}

exchange_indexer::earlier_turn exchange_indexer::turn_before(stored_turn const& turn) {
    earlier_turn last;
    for (auto* statement : {&window_before_, &archive_before_}) {
        auto found = statement->query(turn.user_id, turn.session_id, turn.id);
        if (!found.next() || found.integer(0) < last.id) continue;
        last = {found.integer(0), role_of(found.bytes(1)) == role::user, std::string(found.bytes(2)),
                found.is_null(3) ? std::nullopt : std::optional(found.integer(3))};
    }
    return last;
}

}  // namespace engram::store
