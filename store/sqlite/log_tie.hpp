// Whether the log that lies beside a database belongs to it.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/log_state.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct stat;

namespace engram::store {

/// SQLite knows a log by its name alone. When another file is put in the place of a database whose log still
/// lies there, because the daemon was killed, the next start would mix the two, or undo a backup without a
/// word. So the log itself says to which file it belongs: `log_tie` in engram_state, written anew after each
/// checkpoint with the next transaction, or with one of its own within a second.
///
/// Where it lies a good database is not refused: its time is only compared while the index of the log shows
/// that no checkpoint has been begun since it was noted, and in the same boot. One whose inode changed may
/// be (copied along with its log, or mounted anew), if the log's is the same by chance: store.accept_log.
struct log_tie {
    std::uint64_t file_inode = 0, log_inode = 0;
    std::int64_t file_time = 0;  ///< of its last change, in nanoseconds since 1970
    std::uint64_t boot = 0;      ///< of the machine, when this was noted
    std::uint32_t schema = 0;    ///< the schema's number in the file itself, without the log; 0: not known
    std::uint64_t salt = 0;      ///< of the log, …
    std::uint32_t moved = 0;     ///< … and how much of it was in the file
    bool operator==(log_tie const&) const = default;
};

[[nodiscard]] std::string to_text(log_tie const& tie);
[[nodiscard]] std::optional<log_tie> parse_log_tie(std::string const& text);

/// In nanoseconds since 1970.
[[nodiscard]] std::int64_t time_of_change(struct stat const& file);

/// The first 64 bits of the SHA-256 of `bytes`.
[[nodiscard]] std::uint64_t digest_number(std::string_view bytes);

/// A number for this start of the machine.
[[nodiscard]] std::uint64_t this_boot();

/// What lies there before SQLite opens it, which makes the index anew.
struct left_files {
    std::uint64_t file_inode = 0, log_inode = 0;
    std::int64_t file_time = 0;
    std::uint64_t salt = 0;          ///< of the log
    std::optional<log_state> index;  ///< of the same moment as the time; none: it cannot be told
};
/// Nothing if there is no log with anything in it. `path` is absolute.
[[nodiscard]] std::optional<left_files> look_at_left(std::string const& path);

/// What a tie is compared with.
struct tie_facts {
    left_files left;
    std::uint64_t boot = 0;
    std::uint32_t schema = 0;        ///< in the file
    std::uint32_t schema_shown = 0;  ///< in file and log together
};
[[nodiscard]] bool belongs(log_tie const& tie, tie_facts const& now);

/// Throws open_error, which may pass, if the log is missing or cut short while other processes still work
/// with it: what they have in it would be mixed with what is written into a new one. Changes nothing.
void check_log_is_there(std::string const& path);

/// Throws open_error if the log says that it belongs to another file, and sqlite_error. Changes nothing.
void check_log(std::string const& path, left_files const& left, std::chrono::milliseconds busy_timeout);

}  // namespace engram::store
