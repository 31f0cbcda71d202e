#include "store/sqlite/log_tie.hpp"

#include "base/digest.hpp"
#include "base/log.hpp"
#include "store/sqlite/file_watch.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace engram::store {
namespace {

// A log that begins anew mostly has a number that is one more. It is random in a log that was made anew, and
// where one daemon emptied the log and another is the first to write: then the inodes alone say nothing.
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

// What those who have the log open make of it meanwhile. Only between two equal states do time and index
// belong to one moment.
void look_at_shared(connection& db, left_files& left) {
    left.index.reset();
    auto const before = read_log_state(db);
    struct stat database{};
    if (::stat(db.path().c_str(), &database) != 0) return;
    auto const after = read_log_state(db);
    if (!before || !after || !before->same_checkpoint(*after)) return;
    left.index = after;
    left.file_time = time_of_change(database);
}

// Others may be at work. The numbers of the schema only grow, so the one that must not be greater is read
// first.
bool belongs_as_told(connection& db, left_files left) {
    auto const tie = parse_log_tie(read_tie(db));
    if (!tie) return true;
    if (has_log_index(db)) look_at_shared(db, left);
    auto const in_file = db.schema_in_file();
    auto const shown = db.query_integer("PRAGMA schema_version");
    return belongs(*tie, {left, this_boot(), in_file, std::uint32_t(shown)});
}

// Nothing if there is none, or this process has it open: opening it and closing it again would cost this
// process the locks that it has there.
std::optional<log_state> read_index(std::string const& file) {
    struct stat index{};
    if (::stat((file + "-shm").c_str(), &index) != 0) return std::nullopt;
    if (file_watch::is_open_here(index.st_dev, index.st_ino)) return std::nullopt;
    return parse_log_state(first_bytes(file + "-shm", log_index_bytes));
}

// Whether other processes have it open: each holds a lock on this byte. Who holds it alone is making the
// index anew.
bool is_index_in_use(std::string const& file) {
    constexpr off_t lock_of_users = 128;
    struct stat found{};
    if (::stat((file + "-shm").c_str(), &found) != 0) return false;
    if (file_watch::is_open_here(found.st_dev, found.st_ino)) return false;
    int const index = ::open((file + "-shm").c_str(), O_RDONLY | O_CLOEXEC);
    if (index < 0) return false;
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = lock_of_users;
    lock.l_len = 1;
    bool const in_use = ::fcntl(index, F_GETLK, &lock) == 0 && lock.l_type == F_RDLCK;
    ::close(index);
    return in_use;
}

// In bytes; nothing if it cannot be told.
std::optional<std::uint64_t> size_of_log(std::string const& file) {
    struct stat log{};
    if (::stat((file + "-wal").c_str(), &log) == 0) return std::uint64_t(log.st_size);
    return errno == ENOENT ? std::optional<std::uint64_t>(0) : std::nullopt;
}

std::string resolved(std::string const& path) {
    std::error_code none;
    return std::filesystem::weakly_canonical(path, none).string();
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
    auto const file = resolved(path);
    auto const before = read_index(file);
    struct stat database{};
    struct stat log{};
    if (::stat(file.c_str(), &database) != 0 || ::stat((file + "-wal").c_str(), &log) != 0)
        return std::nullopt;
    auto const header = first_bytes(file + "-wal", log_header_bytes);
    if (header.size() < log_header_bytes) return std::nullopt;
    left_files found{.file_inode = database.st_ino,
                     .log_inode = log.st_ino,
                     .file_time = time_of_change(database),
                     .salt = big_endian(std::string_view(header).substr(salt_at, 8)),
                     .index = {}};
    found.index = read_index(file);
    if (!before || !found.index || !before->same_checkpoint(*found.index)) found.index.reset();
    return found;
}

bool belongs(log_tie const& tie, tie_facts const& now) {
    auto const& left = now.left;
    // Both may have been copied to another place together.
    if (tie.log_inode != left.log_inode || !is_same_log(left.salt, tie.salt)) return true;
    if (tie.file_inode != left.file_inode) return false;
    // It only grows. In a copy that SQLite makes it begins anew, or is one more than in what is copied.
    if (tie.schema != 0 && (now.schema < tie.schema || now.schema > now.schema_shown)) return false;
    bool const no_checkpoint_since = tie.boot == now.boot && left.index && tie.salt != 0 &&
                                     left.index->salt == tie.salt && left.index->moved == tie.moved &&
                                     !left.index->is_moving();
    return !no_checkpoint_since || tie.file_time == left.file_time;
}

// The log grows before the index says so, and shrinks after it. It goes after the index. So none of this is
// ever true of a log that nobody has touched.
void check_log_is_there(std::string const& path) {
    auto const file = resolved(path);
    auto const first = size_of_log(file);
    if (!first || !is_index_in_use(file)) return;
    auto const before = read_index(file);
    auto const second = size_of_log(file);
    auto const after = read_index(file);
    if (!before || !second || !after || before->salt != after->salt || before->frames != after->frames)
        return;
    if (std::max(*first, *second) >= before->log_bytes()) return;
    throw open_error(
        "the log " + file +
            "-wal was removed or cut short while other processes use it: stop every engramd that "
            "uses this file (what is in the log is saved when they stop, if it was removed), "
            "then start",
        true);
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
