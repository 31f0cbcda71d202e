// How far the write-ahead log is, as SQLite's index of it says (the file -shm,
// https://sqlite.org/walformat.html).
#pragma once

#include "store/sqlite/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace engram::store {

struct log_state {
    /// Another one each time the log begins anew. The upper half is one more then, or random if the process
    /// that begins it has not done so before (it lay empty, or was made).
    std::uint64_t salt = 0;
    std::uint32_t page_bytes = 0;  ///< of the database
    std::uint32_t frames = 0;      ///< pages of committed transactions in the log
    std::uint32_t moved = 0;       ///< so many of them are in the database, too
    std::uint32_t moving = 0;      ///< so many will be when the checkpoint that was begun last is done

    /// Whether a checkpoint may be writing to the database. Also, until the first one, after a crash.
    [[nodiscard]] bool is_moving() const { return moving != moved; }
    /// False: a checkpoint has been begun or has ended between the two, whoever made it.
    [[nodiscard]] bool same_checkpoint(log_state const& other) const {
        return salt == other.salt && moved == other.moved && moving == other.moving;
    }
    /// The least that the log is long.
    [[nodiscard]] std::uint64_t log_bytes() const {
        return frames == 0 ? 0 : 32 + std::uint64_t(frames) * (24 + page_bytes);
    }
};

/// So much of the index is read.
constexpr std::size_t log_index_bytes = 136;

/// Of the first bytes of an index that nobody is writing to; nothing if they are no index.
[[nodiscard]] std::optional<log_state> parse_log_state(std::string const& bytes);

/// Costs no call of the system. Nothing if somebody is just changing it, or if SQLite keeps it otherwise than
/// since 3.7. `db` logs ahead and has read something.
[[nodiscard]] std::optional<log_state> read_log_state(connection& db);

/// Whether `db`, which has read something, has the index mapped. One that leaves the index alone has it only
/// if somebody else has the log open.
[[nodiscard]] bool has_log_index(connection& db);

/// Whether the log that `db` has open is the one that the index tells of, and not one that was removed, in
/// whose place another process has written since. False if somebody is just changing the index.
[[nodiscard]] bool has_log_of_index(connection& db);

}  // namespace engram::store
