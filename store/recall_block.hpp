// The rows of the search index: one or more texts of one user, packed.
//
// A record is: item (varint), kind (1 byte: 0 turn, 1 memory), id of the turn or memory (varint), session
// hash and minutes (4 bytes each, little endian), length of the entry (varint), entry. Records of a row stand
// in the order of their items.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engram::store {

struct recall_record {
    std::int64_t item = 0;  ///< which text of the user's, counted from 0
    bool is_memory = false;
    std::int64_t row = 0;  ///< id of the turn or memory
    std::uint32_t session = 0;
    std::uint32_t minutes = 0;
    std::string_view entry;
};

void append_record(std::string& block, recall_record const& record);

/// Steps over the records of a row; ends early at a damaged one.
class record_reader {
public:
    explicit record_reader(std::string_view block) : rest_(block) {}
    [[nodiscard]] std::optional<recall_record> next();

private:
    bool read_varint(std::int64_t& value);
    bool read_u32(std::uint32_t& value);

    std::string_view rest_;
};

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

/// A hash of a session's id; never 0.
[[nodiscard]] std::uint32_t session_hash(std::string_view session_id);

/// Minutes since 1970 of a time as the database has it: "YYYY-MM-DD[ T]HH:MM…" in UTC, or seconds since 1970.
/// 0: neither, or before.
[[nodiscard]] std::uint32_t minutes_of(std::string_view time);

}  // namespace engram::store
