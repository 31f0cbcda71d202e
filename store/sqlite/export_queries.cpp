#include "store/sqlite/export_queries.hpp"

#include "store/sqlite/listing_parts.hpp"

#include <optional>
#include <utility>

namespace engram::store {
namespace {

constexpr std::string_view of_no_session = " AND session_id IS NULL AND id > ?2 ORDER BY id LIMIT ?3";

// A session's id in a cursor: other software's may be no UTF-8, which would not survive JSON.
std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (auto const byte : bytes) {
        text += digits[static_cast<unsigned char>(byte) >> 4];
        text += digits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
}

// What is no hex ends it.
std::string from_hex(std::string_view text) {
    std::string bytes;
    for (; text.size() >= 2; text.remove_prefix(2)) {
        unsigned value = 0;
        auto const [stop, error] = std::from_chars(text.data(), text.data() + 2, value, 16);
        if (error != std::errc() || stop != text.data() + 2) break;
        bytes += static_cast<char>(value);
    }
    return bytes;
}

void sort_by_id(std::vector<turn_record>& turns) {
    std::ranges::sort(turns, {}, [](turn_record const& one) { return one.what.id; });
}

}  // namespace

export_queries::export_queries(connection& db)
    : memories_(db.prepare(memories_where("engram_memory_by_user", "id < ?2 ORDER BY id DESC LIMIT ?3"))),
      sessions_(db.prepare("SELECT session_id, updated_at FROM engram_session "
                           "WHERE user_id = ?1 AND session_id >= ?2 ORDER BY session_id")),
      window_turns_(db.prepare(history(turn_columns_read, "engram_history_window", in_window, oldest_first))),
      archive_turns_(
          db.prepare(history(turn_columns_read, "engram_history_archive", in_archive, oldest_first))),
      window_count_(
          db.prepare(history("count(*)", "engram_history_window", in_window, " AND session_id = ?2"))),
      archive_count_(
          db.prepare(history("count(*)", "engram_history_archive", in_archive, " AND session_id = ?2"))),
      lost_window_turns_(
          db.prepare(history(turn_columns_read, "engram_history_window", in_window, of_no_session))),
      lost_archive_turns_(
          db.prepare(history(turn_columns_read, "engram_history_archive", in_archive, of_no_session))) {}

page<exported> export_queries::export_user(std::string const& user_id, page_request const& asked) {
    auto const which = sensible(asked);
    page<exported> page;
    if (which.from.starts_with('u')) {
        add_lost_turns(user_id, which, page);
        return page;
    }
    if (!which.from.starts_with('t')) {
        auto const rest = std::string_view(which.from).substr(std::min<std::size_t>(which.from.size(), 1));
        auto const before = which.from.empty() ? INT64_MAX : number(rest, 0);
        auto found = memories_.query(user_id, before, which.limit);
        while (found.next())
            page.items.push_back({read_memory_record(found), std::nullopt, std::nullopt});
        if (page.items.size() == which.limit) {
            page.next = "m" + std::to_string(page.items.back().memory->what.id);
            return page;
        }
    }
    add_sessions(user_id, which, page);
    return page;
}

export_queries::place export_queries::place_of(std::string const& cursor) {
    if (!cursor.starts_with('t')) return {};
    auto const text = std::string_view(cursor).substr(1);
    auto const colon = text.find(':');
    if (colon == std::string_view::npos) return {};
    return {from_hex(text.substr(colon + 1)), number(text, 0), true};
}

// Sessions are read one by one as the page fills.
void export_queries::add_sessions(std::string const& user_id, page_request const& which,
                                  page<exported>& page) {
    auto at = place_of(which.from);
    auto const from = at.session;  // borrowed by the statement
    auto found = sessions_.query(user_id, from);
    while (found.next()) {
        session_record session{std::string(found.bytes(0)), found.text(1), 0};
        if (!at.begun || session.session_id != at.session) {
            at = {session.session_id, 0, true};
            session.turns = count_turns(user_id, session.session_id);
            page.items.push_back({std::nullopt, std::nullopt, std::move(session)});
        }
        bool const at_its_end = add_turns(user_id, at, which.limit, page);
        page.next = "t" + std::to_string(at.after) + ":" + to_hex(at.session);
        if (!at_its_end || page.items.size() >= which.limit) return;
    }
    add_lost_turns(user_id, which, page);
}

// Returns whether these were the last turns of the session; its place is then behind all of them.
bool export_queries::add_turns(std::string const& user_id, place& at, std::size_t limit,
                               page<exported>& page) {
    auto const room = limit - std::min(limit, page.items.size());
    if (room == 0) return false;
    std::vector<turn_record> turns;
    for (auto* statement : {&window_turns_, &archive_turns_}) {
        auto found = statement->query(user_id, at.session, at.after, room + 1);
        while (found.next())
            turns.push_back(read_turn_record(found));
    }
    sort_by_id(turns);
    bool const all = turns.size() <= room;
    turns.resize(std::min(turns.size(), room));
    at.after = all ? INT64_MAX : turns.back().what.id;
    for (auto& one : turns)
        page.items.push_back({std::nullopt, std::move(one), std::nullopt});
    return all;
}

void export_queries::add_lost_turns(std::string const& user_id, page_request const& which,
                                    page<exported>& page) {
    auto const after = which.from.starts_with('u') ? number(std::string_view(which.from).substr(1), 0) : 0;
    auto const room = which.limit - std::min(which.limit, page.items.size());
    std::vector<turn_record> turns;
    for (auto* statement : {&lost_window_turns_, &lost_archive_turns_}) {
        auto found = statement->query(user_id, after, room + 1);
        while (found.next())
            turns.push_back(read_turn_record(found));
    }
    sort_by_id(turns);
    bool const more = turns.size() > room;
    turns.resize(std::min(turns.size(), room));
    page.next = more ? "u" + std::to_string(turns.empty() ? after : turns.back().what.id) : "";
    for (auto& one : turns)
        page.items.push_back({std::nullopt, std::move(one), std::nullopt});
}

std::size_t export_queries::count_turns(std::string const& user_id, std::string const& session_id) {
    std::size_t turns = 0;
    for (auto* count : {&window_count_, &archive_count_}) {
        auto found = count->query(user_id, session_id);
        if (found.next()) turns += static_cast<std::size_t>(found.integer(0));
    }
    return turns;
}

}  // namespace engram::store
