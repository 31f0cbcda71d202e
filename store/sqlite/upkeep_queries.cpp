#include "store/sqlite/upkeep_queries.hpp"

#include <algorithm>
#include <set>

namespace engram::store {
namespace {

// More do not fit into one request to a model.
constexpr std::size_t most_consolidated = 500;
constexpr std::size_t users_a_look = 16;
constexpr int most_looks = 64;
// A time that is later than this was written by a clock that was set back since: longer than any claim, and
// for clocks that merely disagree.
constexpr auto longest_claim = std::chrono::hours(3);
// Texts that want no vector, in one transaction: some ten milliseconds.
constexpr std::size_t most_passed_over = 4'000;

// Milliseconds since 1970; NULL where other software wrote something else than a time in UTC.
std::string time_of_last_row(std::string const& table) {
    return "SELECT CASE typeof(created_at) WHEN 'text' THEN "
           "CAST(round((julianday(created_at) - 2440587.5) * 86400000) AS INTEGER) END FROM " +
           table + " WHERE id = (SELECT max(id) FROM " + table + ")";
}

}  // namespace

upkeep_queries::upkeep_queries(connection& db, user_writer& users, recall_index& index)
    : db_(db),
      users_(users),
      index_(index),
      expired_(db.prepare("SELECT id, user_id, item FROM long_term_memory "
                          "INDEXED BY engram_memory_expiry WHERE expires_at <= ?1 "
                          "ORDER BY expires_at LIMIT ?2")),
      remove_memory_(db.prepare("DELETE FROM long_term_memory WHERE id = ?1")),
      remove_sources_(db.prepare("DELETE FROM engram_memory_source WHERE memory_id = ?1")),
      due_users_(db.prepare("SELECT user_key, user_id FROM engram_user INDEXED BY engram_user_notes "
                            "WHERE notes >= 1 "
                            "AND (notes >= ?1 OR consolidated_at < ?2 OR consolidated_at > ?4) "
                            "AND (consolidation_until <= ?3 OR consolidation_until > ?4) "
                            "AND user_id IS NOT NULL "
                            "ORDER BY notes DESC LIMIT 1")),
      claim_(db.prepare("UPDATE engram_user SET consolidation_until = ?2 WHERE user_key = ?1")),
      memories_(db.prepare(select(memory_columns_read,
                                  "FROM long_term_memory INDEXED BY engram_memory_current "
                                  "WHERE user_id = ?1 AND valid_to IS NULL AND memory_type <> 'summary' "
                                  "AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id DESC LIMIT ?2"))),
      model_(db.prepare("SELECT model FROM engram_vector_model WHERE name = ?1")),
      add_model_(db.prepare("INSERT INTO engram_vector_model(name) VALUES (?1)")),
      behind_users_(db.prepare("SELECT user_key, embedded_items, next_item FROM engram_user "
                               "INDEXED BY engram_user_unembedded "
                               "WHERE vector_model = ?1 AND embedded_items < next_item LIMIT ?2")),
      older_model_users_(db.prepare("SELECT user_key, 0, next_item FROM engram_user "
                                    "INDEXED BY engram_user_by_model WHERE vector_model < ?1 LIMIT ?2")),
      newer_model_users_(db.prepare("SELECT user_key, 0, next_item FROM engram_user "
                                    "INDEXED BY engram_user_by_model WHERE vector_model > ?1 LIMIT ?2")),
      begin_model_(db.prepare("UPDATE engram_user SET vector_model = ?2, embedded_items = ?3 "
                              "WHERE user_key = ?1")),
      entries_(
          db.prepare("SELECT entries FROM engram_recall WHERE place >= ?1 AND place < ?2 ORDER BY place")),
      turn_text_(db.prepare("SELECT content, role FROM conversation_history WHERE id = ?1")),
      memory_text_(db.prepare("SELECT content FROM long_term_memory WHERE id = ?1")),
      add_vector_(
          db.prepare("INSERT OR REPLACE INTO engram_vector(place, model, vector) VALUES (?1, ?2, ?3)")),
      has_vector_(db.prepare("SELECT 1 FROM engram_vector WHERE place = ?1 AND model = ?2")),
      embedded_items_(db.prepare("SELECT embedded_items FROM engram_user "
                                 "WHERE user_key = ?1 AND vector_model = ?2")),
      advance_(db.prepare("UPDATE engram_user SET embedded_items = max(embedded_items, ?3) "
                          "WHERE user_key = ?1 AND vector_model = ?2")) {}

std::size_t upkeep_queries::expire_memories(base::wall_time now, std::size_t limit) {
    struct row {
        std::int64_t id;
        std::string user_id;
        std::optional<std::int64_t> item;
    };
    std::vector<row> over;
    {
        auto found = expired_.query(base::to_unix_ms(now), limit);
        while (found.next())
            over.push_back({found.integer(0), std::string(found.bytes(1)),
                            found.is_null(2) ? std::nullopt : std::optional(found.integer(2))});
    }
    for (auto const& one : over) {
        if (one.item) index_.remove(users_.find(one.user_id).key, *one.item);
        remove_sources_.run(one.id);
        remove_memory_.run(one.id);
    }
    return over.size();
}

std::optional<consolidation_task> upkeep_queries::claim_consolidation(std::size_t least_new,
                                                                      base::wall_time before,
                                                                      base::wall_time now,
                                                                      base::wall_time until) {
    std::int64_t key = 0;
    consolidation_task task;
    {
        auto found = due_users_.query(std::max<std::size_t>(least_new, 1), base::to_unix_ms(before),
                                      base::to_unix_ms(now), base::to_unix_ms(now + longest_claim));
        if (!found.next()) return std::nullopt;
        key = found.integer(0);
        task.user_id = found.bytes(1);
    }
    claim_.run(key, base::to_unix_ms(until));
    task.seen = users_.find(task.user_id).seen;
    task.memories = current_memories(task.user_id, now);
    return task;
}

std::vector<memory_record> upkeep_queries::current_memories(std::string const& user_id, base::wall_time now) {
    std::vector<memory_record> memories;
    auto found = memories_.query(user_id, most_consolidated, base::to_unix_ms(now));
    while (found.next())
        memories.push_back(read_memory_record(found));
    std::ranges::reverse(memories);
    return memories;
}

std::int64_t upkeep_queries::number_of_model(std::string const& model) {
    {
        auto found = model_.query(model);
        if (found.next()) return found.integer(0);
    }
    add_model_.run(model);
    return db_.last_insert_id();
}

std::vector<upkeep_queries::user_behind> upkeep_queries::users_behind(std::int64_t model) {
    std::vector<user_behind> users;
    for (auto* statement : {&behind_users_, &older_model_users_, &newer_model_users_}) {
        auto found = statement->query(model, users_a_look - users.size());
        while (found.next())
            users.push_back(
                {found.integer(0), found.integer(1), found.integer(2), statement == &behind_users_});
    }
    return users;
}

std::vector<unembedded> upkeep_queries::find_unembedded(std::string const& model, std::size_t limit) {
    auto const number = number_of_model(model);
    std::vector<unembedded> texts;
    auto most_passed = most_passed_over;
    // Users of whom nothing is left to embed are behind as well, and are passed over.
    for (int look = 0; look < most_looks && texts.empty() && most_passed > 0; ++look) {
        auto const users = users_behind(number);
        if (users.empty()) break;
        for (auto const& user : users) {
            if (texts.size() >= limit || most_passed == 0) break;
            auto const next = find_unembedded_of(user, number, limit, most_passed, texts);
            if (next != user.from || !user.same_model) begin_model_.run(user.key, number, next);
        }
    }
    return texts;
}

// Finds texts that follow each other, and ends where one has its vector: behind a text that was made anew
// there are such. Should one of those be made anew before the vectors come, it lies behind all that they are
// for. Returns the first item that was found, or else where to go on.
std::int64_t upkeep_queries::find_unembedded_of(user_behind const& user, std::int64_t model,
                                                std::size_t limit, std::size_t& most_passed,
                                                std::vector<unembedded>& found) {
    std::optional<std::int64_t> first;
    auto const first_row = user.from / recall_index::items_a_row * recall_index::items_a_row;
    auto rows = entries_.query(place_of(user.key, first_row), place_of(user.key + 1, 0));
    while (rows.next()) {
        record_reader records(rows.bytes(0));
        while (auto const record = records.next()) {
            if (record->item < user.from) continue;
            if (found.size() >= limit || most_passed == 0) return first.value_or(record->item);
            auto const place = place_of(user.key, record->item);
            if (has_vector_.query(place, model).next()) {
                if (first) return *first;
                --most_passed;
                continue;
            }
            auto one = read_text(place, record->is_memory, rows_of(*record));
            if (one.text.empty() && one.answer.empty()) {
                --most_passed;
                continue;
            }
            if (!first) first = record->item;
            found.push_back(std::move(one));
        }
    }
    return first.value_or(user.end);
}

unembedded upkeep_queries::read_text(std::int64_t place, bool is_memory,
                                     std::vector<std::int64_t> const& rows) {
    unembedded one{place, {}, {}};
    for (auto const row : rows) {
        auto found = (is_memory ? memory_text_ : turn_text_).query(row);
        if (!found.next()) continue;
        auto& part = is_memory || role_of(found.bytes(1)) == role::user ? one.text : one.answer;
        part += (part.empty() ? "" : "\n") + found.text(0);
    }
    return one;
}

bool upkeep_queries::has_come_to(std::int64_t user_key, std::int64_t model, std::int64_t item) {
    auto found = embedded_items_.query(user_key, model);
    return found.next() && found.integer(0) >= item;
}

// Where a text was erased since it was read its place is empty, and stays so. One that has changed is asked
// for again, and what stands behind it passed over then. So it is with a text before the first of these.
void upkeep_queries::store_vectors(std::string const& model, std::vector<embedded> const& vectors) {
    auto const number = number_of_model(model);
    std::set<std::int64_t> seen, stays;  // users, and those who do not come further
    for (auto const& [of, vector] : vectors) {
        auto const key = user_of_place(of.place), item = item_of_place(of.place);
        if (seen.insert(key).second && !has_come_to(key, number, item)) stays.insert(key);
        auto const record = index_.find(key, item);
        if (record && read_text(of.place, record->is_memory, record->rows) != of) {
            stays.insert(key);
            continue;
        }
        if (!vector.empty() && record) add_vector_.run(of.place, number, blob{vector});
        if (!stays.contains(key)) advance_.run(key, number, item + 1);
    }
}

newest_outcome::newest_outcome(connection& db)
    : job_(db.prepare("SELECT finished_at FROM engram_finished_job INDEXED BY engram_finished_job_by_time "
                      "ORDER BY finished_at DESC LIMIT 1")),
      turn_(db.prepare(time_of_last_row("conversation_history"))),
      memory_(db.prepare(time_of_last_row("long_term_memory"))) {}

std::optional<base::wall_time> newest_outcome::find() {
    std::optional<base::wall_time> newest;
    for (auto* one : {&job_, &turn_, &memory_}) {
        auto found = one->query();
        if (!found.next() || found.is_null(0)) continue;
        base::wall_time const at{std::chrono::milliseconds(found.integer(0))};
        if (!newest || at > *newest) newest = at;
    }
    return newest;
}

}  // namespace engram::store
