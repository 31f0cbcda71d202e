#include "store/sqlite/recall_block.hpp"

#include <charconv>
#include <chrono>

namespace engram::store {
namespace {

void append_varint(std::string& out, std::int64_t value) {
    auto rest = static_cast<std::uint64_t>(value);
    for (; rest >= 0x80; rest >>= 7)
        out += static_cast<char>(rest | 0x80);
    out += static_cast<char>(rest);
}

void append_u32(std::string& out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8)
        out += static_cast<char>(value >> shift);
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (text.size() < at + count) return std::nullopt;
    int value = 0;
    auto const* const end = text.data() + at + count;
    auto const [stop, error] = std::from_chars(text.data() + at, end, value);
    if (error != std::errc() || stop != end || value < 0) return std::nullopt;
    return value;
}

std::uint32_t to_minutes(std::int64_t seconds) {
    auto const minutes = seconds / 60;
    return minutes > 0 && minutes <= UINT32_MAX ? static_cast<std::uint32_t>(minutes) : 0;
}

}  // namespace

void append_record(std::string& block, recall_record const& record) {
    append_varint(block, record.item);
    block += record.is_memory ? '\1' : record.turns > 1 ? static_cast<char>(record.turns) : '\0';
    append_varint(block, record.row);
    if (record.turns > 1) block += record.later_turns;
    append_u32(block, record.session);
    append_u32(block, record.minutes);
    append_varint(block, static_cast<std::int64_t>(record.entry.size()));
    block += record.entry;
}

std::string later_turns_of(std::span<std::int64_t const> ids) {
    std::string later;
    for (std::size_t i = 1; i < ids.size(); ++i)
        append_varint(later, ids[i] - ids[i - 1]);
    return later;
}

std::vector<std::int64_t> rows_of(recall_record const& record) {
    std::vector<std::int64_t> rows{record.row};
    std::int64_t more = 0;
    unsigned shift = 0;
    for (char const c : record.later_turns) {
        auto const byte = static_cast<unsigned char>(c);
        more |= std::int64_t{byte & 0x7F} << shift;
        shift += 7;
        if (byte >= 0x80) continue;
        rows.push_back(rows.back() + more);
        more = 0;
        shift = 0;
    }
    return rows;
}

// FNV-1a, 32 bits. Two sessions of one user that share a hash count as one for the search, and for nothing
// else.
std::uint32_t session_hash(std::string_view session_id) {
    std::uint32_t hash = 2166136261U;
    for (char const c : session_id)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash == 0 ? 1 : hash;
}

std::uint32_t minutes_of(std::string_view time) {
    auto const year = digits(time, 0, 4), month = digits(time, 5, 2), day = digits(time, 8, 2);
    if (year && month && day && time[4] == '-' && time[7] == '-') {
        auto const date = std::chrono::year(*year) / *month / *day;
        if (!date.ok()) return 0;
        auto const days = std::chrono::sys_days(date).time_since_epoch();
        auto const hour = digits(time, 11, 2).value_or(0), minute = digits(time, 14, 2).value_or(0);
        return to_minutes(std::chrono::seconds(days).count() + hour * 3600LL + minute * 60LL);
    }
    std::int64_t seconds = 0;
    auto const [stop, error] = std::from_chars(time.data(), time.data() + time.size(), seconds);
    bool const whole = error == std::errc() && (stop == time.data() + time.size() || *stop == '.');
    return whole ? to_minutes(seconds) : 0;
}

}  // namespace engram::store
