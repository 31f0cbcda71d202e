#include "store/sqlite/log_tie.hpp"

#include "base/digest.hpp"
#include "base/log.hpp"
#include "store/sqlite/file_watch.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace engram::store {
namespace {

// A log that begins anew has a number that is one more; a log that is made anew has a random one.
constexpr std::uint32_t most_restarts = 1'000'000;
constexpr std::size_t log_header_bytes = 32, salt_at = 16;

std::string first_bytes(std::string const& file, std::size_t count) {
    std::string bytes(count, '\0');
    std::ifstream in(file, std::ios::binary);
    in.read(bytes.data(), std::streamsize(count));
    bytes.resize(std::size_t(in.gcount()));
    return bytes;
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t number = 0;
    for (unsigned char const one : bytes)
        number = number << 8 | one;
    return number;
}

bool is_same_log(std::uint64_t now, std::uint64_t then) {
    return std::uint32_t(now >> 32) - std::uint32_t(then >> 32) < most_restarts;
}

std::string read_tie(connection& db) {
    // In a database of an older schema there is none.
    if (db.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'engram_state'") == 0) return "";
    return db.query_text("SELECT value FROM engram_state WHERE name = 'log_tie'");
}

bool belongs_as_told(connection& db, left_files const& left) {
    auto const shown = db.query_integer("PRAGMA schema_version");
    auto const tie = parse_log_tie(read_tie(db));
    if (!tie) return true;
    bool const was_left = !read_log_state(db);  // an index that nobody has open is not even mapped
    return belongs(*tie, {left, this_boot(), db.schema_in_file(), std::uint32_t(shown), was_left});
}

}  // namespace

std::string to_text(log_tie const& tie) {
    std::ostringstream text;
    text << "1 " << tie.file_inode << ' ' << tie.file_time << ' ' << tie.log_inode << ' ' << tie.boot << ' '
         << tie.schema << ' ' << tie.salt << ' ' << tie.moved;
    return text.str();
}

std::optional<log_tie> parse_log_tie(std::string const& text) {
    std::istringstream in(text);
    log_tie tie;
    int form = 0;
    in >> form >> tie.file_inode >> tie.file_time >> tie.log_inode >> tie.boot >> tie.schema >> tie.salt >>
        tie.moved;
    return in && form == 1 ? std::optional(tie) : std::nullopt;
}

std::uint64_t digest_number(std::string_view bytes) {
    return big_endian(base::sha256(bytes).substr(0, 8));
}

std::uint64_t this_boot() {
    return digest_number(first_bytes("/proc/sys/kernel/random/boot_id", 64));
}

std::int64_t time_of_change(struct stat const& file) {
    return std::int64_t(file.st_mtim.tv_sec) * 1'000'000'000 + file.st_mtim.tv_nsec;
}

std::optional<left_files> look_at_left(std::string const& path) {
    std::error_code none;
    auto const file = std::filesystem::weakly_canonical(path, none).string();
    struct stat database{};
    struct stat log{};
    struct stat index{};
    if (::stat(file.c_str(), &database) != 0 || ::stat((file + "-wal").c_str(), &log) != 0)
        return std::nullopt;
    auto const header = first_bytes(file + "-wal", log_header_bytes);
    if (header.size() < log_header_bytes) return std::nullopt;
    left_files found{.file_inode = database.st_ino,
                     .log_inode = log.st_ino,
                     .file_time = time_of_change(database),
                     .salt = big_endian(std::string_view(header).substr(salt_at, 8)),
                     .index = {}};
    // Opening it and closing it again would cost this process the locks that it has there.
    if (::stat((file + "-shm").c_str(), &index) == 0 && !file_watch::is_open_here(index.st_dev, index.st_ino))
        found.index = parse_log_state(first_bytes(file + "-shm", log_index_bytes));
    return found;
}

bool belongs(log_tie const& tie, tie_facts const& now) {
    auto const& left = now.left;
    // Both may have been copied to another place together.
    if (tie.log_inode != left.log_inode || !is_same_log(left.salt, tie.salt)) return true;
    if (tie.file_inode != left.file_inode) return false;
    // It only grows. In a copy that SQLite makes it begins anew, or is one more than in what is copied.
    if (tie.schema != 0 && (now.schema < tie.schema || now.schema > now.schema_shown)) return false;
    bool const no_checkpoint_since = now.was_left && tie.boot == now.boot && left.index &&
                                     left.index->salt == tie.salt && left.index->moved == tie.moved &&
                                     !left.index->is_moving();
    return !no_checkpoint_since || tie.file_time == left.file_time;
}

void check_log(std::string const& path, left_files const& left, std::chrono::milliseconds busy_timeout) {
    // Opening it as usual would set back the index, and with it lose what the next start has to go by.
    using enum connection::access;
    connection db(path, left.index ? read_only_and_leave_index : read_only, busy_timeout);
    db.leave_log(true);
    try {
        if (belongs_as_told(db, left)) return;
    } catch (sqlite_error const& failed) {
        if (!failed.is_environment()) throw;
        // Another process that starts in this moment sets the index back, and has judged before.
        base::log_debug("the database's log was not looked at", {{"reason", failed.what()}});
        return;
    }
    auto const log = db.path();
    throw open_error(
        "the log " + log + "-wal does not belong to the database " + path +
        ", which was replaced or overwritten: with the log, what was replaced would come back. If the "
        "file is a backup that you want, put it there with engramctl restore (or move " +
        log + "-wal and " + log +
        "-shm away) and start again; if the two do belong together, start once with "
        "--set store.accept_log=true");
}

}  // namespace engram::store
