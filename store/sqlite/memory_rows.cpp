#include "store/sqlite/memory_rows.hpp"

#include "base/clock.hpp"

namespace engram::store {

memory read_memory(rows const& from) {
    return {from.integer(0), from.text(1),    from.text(2),        from.text(3),
            from.text(4),    from.integer(5), from.integer(6) != 0};
}

memory_record read_memory_record(rows const& from) {
    memory_record record;
    record.what = read_memory(from);
    record.pinned = record.what.pinned;
    if (!from.is_null(memory_expiry))
        record.expires_at =
            base::to_utc_text(base::wall_time(std::chrono::milliseconds(from.integer(memory_expiry))));
    record.updated_at = from.text(8);
    record.last_seen = from.text(9);
    record.valid_from = from.text(10);
    record.valid_to = from.text(11);
    record.times_seen = from.integer(12);
    record.superseded_by = from.integer(13);
    record.job_id = from.text(14);
    return record;
}

turn_record read_turn_record(rows const& from) {
    return {{from.integer(0), role_of(from.bytes(1)), from.text(2)},
            from.text(3),
            from.text(4),
            from.integer(5) != 0,
            from.text(6)};
}

role role_of(std::string_view name) {
    return name == "assistant" ? role::assistant : role::user;
}

text_kind kind_of_turn(std::string_view name) {
    return role_of(name) == role::user ? text_kind::user_turn : text_kind::assistant_turn;
}

std::string select(std::string_view columns, std::string_view rest) {
    return std::string("SELECT ").append(columns).append(" ").append(rest);
}

}  // namespace engram::store
