// The rows of the search index: one or more texts of one user, packed. The turns of an exchange are one text.
//
// A record is: item (varint), kind (1 byte: 0 a turn, 1 a memory, from 2 on: an exchange of so many turns),
// id of the turn or memory (varint), of an exchange for each further turn by how much its id is greater than
// the one before (varint), session hash and minutes (4 bytes each, little endian), length of the entry
// (varint), entry. Records of a row stand in the order of their items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

/// More turns of one exchange than this are several texts.
inline constexpr std::size_t most_turns_a_record = 32;

struct recall_record {
    std::int64_t item = 0;  ///< which text of the user's, counted from 0
    bool is_memory = false;
    std::int64_t row = 0;               ///< id of the memory, or of the first turn
    std::string_view later_turns = {};  ///< of an exchange, as the record has them
    std::size_t turns = 1;              ///< of an exchange; at most most_turns_a_record
    std::uint32_t session = 0;
    std::uint32_t minutes = 0;
    std::string_view entry = {};

    /// Two turns, the second one written right behind the first: what nearly every exchange is.
    [[nodiscard]] bool is_pair() const { return turns == 2 && later_turns == std::string_view("\1", 1); }
};

void append_record(std::string& block, recall_record const& record);
/// `later_turns` of these ids, which ascend.
[[nodiscard]] std::string later_turns_of(std::span<std::int64_t const> ids);
/// The ids of all its turns, or the memory's.
[[nodiscard]] std::vector<std::int64_t> rows_of(recall_record const& record);

/// Where a text stands in the index, over all users.
[[nodiscard]] constexpr std::int64_t place_of(std::int64_t user_key, std::int64_t item) {
    return (user_key << 36) | item;
}
[[nodiscard]] constexpr std::int64_t user_of_place(std::int64_t place) {
    return place >> 36;
}
[[nodiscard]] constexpr std::int64_t item_of_place(std::int64_t place) {
    return place & ((std::int64_t{1} << 36) - 1);
}

/// Steps over the records of a row; ends early at a damaged one. In the header because a search does little
/// else than this for each of its texts.
class record_reader {
public:
    explicit record_reader(std::string_view block) : rest_(block) {}

    [[nodiscard]] std::optional<recall_record> next() {
        recall_record record;
        std::int64_t size = 0;
        if (!read_varint(record.item) || record.item > most_item || rest_.empty()) return std::nullopt;
        auto const kind = static_cast<unsigned char>(rest_[0]);
        record.is_memory = kind == 1;
        record.turns = kind > 1 ? kind : 1;
        rest_.remove_prefix(1);
        if (!read_varint(record.row) || record.row > most_row) return std::nullopt;
        if (record.turns > 1 && !skip_later_turns(record)) return std::nullopt;
        if (rest_.size() < 8) return std::nullopt;
        record.session = read_u32();
        record.minutes = read_u32();
        if (!read_varint(size) || static_cast<std::uint64_t>(size) > rest_.size()) return std::nullopt;
        record.entry = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return record;
    }

private:
    // Beyond these it is damage: a place holds no more, and the search counts in quarters of an id.
    static constexpr std::int64_t most_item = item_of_place(-1);
    static constexpr std::int64_t most_row = INT64_MAX / 4;

    bool skip_later_turns(recall_record& record) {
        if (record.turns > most_turns_a_record) return false;
        auto const from = rest_;
        auto last = record.row;
        for (std::size_t i = 1; i < record.turns; ++i) {
            std::int64_t more = 0;
            if (!read_varint(more) || more < 1 || more > most_row - last) return false;
            last += more;
        }
        record.later_turns = from.substr(0, from.size() - rest_.size());
        return true;
    }

    bool read_varint(std::int64_t& value) {
        std::uint64_t read = 0;
        for (unsigned shift = 0, at = 0; shift < 63 && at < rest_.size(); shift += 7) {
            auto const byte = static_cast<unsigned char>(rest_[at++]);
            read |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) {
                rest_.remove_prefix(at);
                value = static_cast<std::int64_t>(read);
                return true;
            }
        }
        return false;
    }

    // REQUIRES: four bytes are there.
    std::uint32_t read_u32() {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < 4; ++i)
            value |= std::uint32_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
        rest_.remove_prefix(4);
        return value;
    }

    std::string_view rest_;
};

/// A hash of a session's id; never 0.
[[nodiscard]] std::uint32_t session_hash(std::string_view session_id);

/// Minutes since 1970 of a time as the database has it: "YYYY-MM-DD[ T]HH:MM…" in UTC, or seconds since 1970.
/// 0: neither, or before.
[[nodiscard]] std::uint32_t minutes_of(std::string_view time);

}  // namespace engram::store
