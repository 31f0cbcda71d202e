#include "store/sqlite/file_watch.hpp"

#include "store/sqlite/sqlite_store.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace engram::store {
namespace {

enum : std::size_t { database_file, log_file, index_file };

bool has_moved(connection& db) {
    int moved = 0;
    sqlite3_file_control(db.native(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

std::mutex open_mutex;
std::multiset<std::pair<std::uint64_t, std::uint64_t>> open_indexes;  // of the logs, of this process

}  // namespace

struct file_watch::sight {
    explicit sight(std::string const& path) : failed(::stat(path.c_str(), &found) == 0 ? 0 : errno) {}

    struct stat found{};
    int failed;

    [[nodiscard]] bool is_missing() const { return failed == ENOENT || failed == ENOTDIR; }
    [[nodiscard]] place where() const { return {found.st_dev, found.st_ino}; }
    [[nodiscard]] content what() const { return {found.st_size, time_of_change(found)}; }
};

file_watch::file_watch(std::string const& path, connection& db) {
    auto const resolved = db.path();
    files_ = {{{"the database file " + path, path, {}},
               {"the log " + resolved + "-wal", resolved + "-wal", {}},
               {"the index of the log, " + resolved + "-shm,", resolved + "-shm", {}}}};
    for (auto& one : files_) {
        sight const now(one.path);
        if (now.failed != 0)
            throw open_error(one.what +
                             " has gone while it was opened: " + std::generic_category().message(now.failed));
        one.opened = now.where();
    }
    if (has_moved(db) || sight(resolved).where() != files_[database_file].opened)
        throw open_error(files_[database_file].what + " was replaced while it was opened");
    std::scoped_lock const alone(open_mutex);
    open_indexes.emplace(files_[index_file].opened.device, files_[index_file].opened.inode);
}

file_watch::~file_watch() {
    std::scoped_lock const alone(open_mutex);
    open_indexes.extract({files_[index_file].opened.device, files_[index_file].opened.inode});
}

bool file_watch::is_open_here(std::uint64_t device, std::uint64_t inode) {
    std::scoped_lock const alone(open_mutex);
    return open_indexes.contains({device, inode});
}

std::uint64_t file_watch::place_id() const {
    auto const& [device, inode] = files_[database_file].opened;
    return digest_number(std::to_string(boot_) + ' ' + std::to_string(device) + ' ' + std::to_string(inode));
}

// Somewhere between two checkpoints; read from within a transaction, so that it is stored with it.
std::optional<log_tie> file_watch::untold_tie() {
    std::scoped_lock const alone(mutex_);
    if (is_told()) return {};
    telling_ = last_;
    auto const& [file, log, schema] = *last_;
    return log_tie{.file_inode = files_[database_file].opened.inode,
                   .log_inode = files_[log_file].opened.inode,
                   .file_time = file.nanoseconds,
                   .boot = boot_,
                   .schema = schema,
                   .salt = log.salt,
                   .moved = log.moved};
}

bool file_watch::has_untold_tie() const {
    std::scoped_lock const alone(mutex_);
    return !is_told();
}

bool file_watch::is_told() const {
    return !last_ || (told_ && told_->file == last_->file && told_->log.same_checkpoint(last_->log));
}

void file_watch::tie_is_told() {
    std::scoped_lock const alone(mutex_);
    told_ = telling_;
}

std::string file_watch::look(connection& db) {
    std::scoped_lock const alone(mutex_);
    return lost_.empty() ? compare(db) : lost_;
}

std::string file_watch::lost() const {
    if (!is_lost_) return {};
    std::scoped_lock const alone(mutex_);
    return lost_;
}

void file_watch::met(error const& why) {
    if (!why.damaged) return;
    std::scoped_lock const alone(mutex_);
    damage_ = why.message;
    ++times_damaged_;
}

store_state file_watch::state(connection& db) {
    auto lost = look(db);
    std::scoped_lock const alone(mutex_);
    return {std::move(lost), damage_, times_damaged_, {}};
}

store_state file_watch::last_state() const {
    std::scoped_lock const alone(mutex_);
    return {lost_, damage_, times_damaged_, {}};
}

// Where log or index was removed, another daemon may have begun anew since: its log is not this one.
bool file_watch::must_leave_log(connection& db) const {
    std::scoped_lock const alone(mutex_);
    if (!is_lost_ || must_leave_log_) return must_leave_log_;
    sight const index(files_[index_file].path);
    bool const is_ours = index.failed == 0 && index.where() == files_[index_file].opened;
    return (!is_ours && !index.is_missing()) || !has_log_of_index(db);
}

bool file_watch::has_lasting_checkpoint() {
    std::scoped_lock const alone(mutex_);
    auto const before = std::exchange(was_under_way_, under_way_);
    return before && under_way_ && before->same_checkpoint(*under_way_);
}

// What a checkpoint by half has written may go with the next power cut. It is read once for each checkpoint.
std::uint32_t file_watch::safe_schema(connection& db, log_state const& log) const {
    if (last_ && last_->log.same_checkpoint(log)) return last_->schema;
    return log.moved == 0 || log.moved == log.frames ? db.schema_in_file() : 0;
}

std::string file_watch::compare(connection& db) {
    auto const before = read_log_state(db);
    under_way_ = before && before->is_moving() ? before : std::nullopt;
    std::array<content, 3> now{};
    for (std::size_t i = 0; i < files_.size(); ++i) {
        sight const seen(files_[i].path);
        if (seen.is_missing()) return lose(i, "removed");
        if (seen.failed != 0)  // may pass
            return files_[i].what + " cannot be looked at: " + std::generic_category().message(seen.failed);
        if (seen.where() != files_[i].opened) return lose(i, "replaced");
        now.at(i) = seen.what();
    }
    // Only between two equal states, and while nothing is moved, do file and log belong to one moment.
    auto const schema = before ? safe_schema(db, *before) : 0;
    auto const after = read_log_state(db);
    if (!before || !after || before->is_moving() || !before->same_checkpoint(*after)) return {};
    if (now[log_file].bytes < std::int64_t(before->log_bytes())) return lose(log_file, "cut short");
    if (last_ && last_->file != now[database_file] && last_->log.same_checkpoint(*before))
        return lose(database_file, "overwritten");
    last_ = {now[database_file], *before, schema};
    return {};
}

// Where the database itself is as it was, what the log holds may go there: it is the only way to keep it.
std::string file_watch::lose(std::size_t which, std::string const& how) {
    auto const& log = files_[log_file].path;
    auto const away = "move " + log + " and " + files_[index_file].path + " away";
    lost_ = files_.at(which).what + " was " + how + " while it was in use, nothing is stored any more: ";
    if (which != database_file && how != "cut short") {
        lost_ +=
            "stop every engramd that uses this file (what is in the log is saved when they stop), then "
            "start";
    } else {
        must_leave_log_ = true;
        lost_ += "stop engramd, ";
        if (how == "removed")
            lost_ += "put the file back (or a backup of it, and " + away + "), start engramd";
        else if (which == database_file)
            lost_ += "see that the file you want is there, " + away + ", start engramd";
        else
            lost_ += "put a backup there if turns are missing, and " + away + ", start engramd";
    }
    is_lost_ = true;
    return lost_;
}

}  // namespace engram::store
