#include "daemon/check_store.hpp"

#include "store/keeping.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/forgotten_list.hpp"
#include "store/sqlite/legacy.hpp"
#include "store/sqlite/log_tie.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/opening.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <pwd.h>
#include <string>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace engram::daemon {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using enum finding::grade;
using store::connection;

constexpr std::uint64_t least_room = 1024UL * 1024 * 1024;
constexpr auto longest_lock = 2s;
constexpr int read_only_code = 8;  // SQLITE_READONLY

constexpr auto go_back =
    "go back to a copy (docs/operations.md, Backup and restore), or bring over what can be read: "
    "engramctl salvage FILE NEW";

std::string user_name(uid_t user) {
    auto const* const entry = getpwuid(user);
    return entry != nullptr ? entry->pw_name : std::to_string(user);
}

std::string me() {
    return user_name(geteuid());
}

// Empty: this user may.
std::string refusal_of(std::string const& path, int what) {
    if (faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0) return {};
    return std::generic_category().message(errno);
}

// Of a file; none: there is none.
std::optional<std::uint64_t> size_of(std::string const& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return std::uint64_t(found.st_size);
}

class deadline final : public store::opening_watch {
public:
    explicit deadline(std::chrono::milliseconds patience) : until_(steady_clock::now() + patience) {}
    bool go_on(store::opening_progress const&) override { return steady_clock::now() < until_; }

private:
    steady_clock::time_point until_;
};

class look {
public:
    look(store::options const& options, std::chrono::milliseconds patience)
        : options_(options), patience_(patience) {
        std::error_code failed;
        file_ = std::filesystem::absolute(options.path, failed).string();
        // Its log stands beside the file that a link leads to.
        file_ = std::filesystem::weakly_canonical(file_, failed).string();
        folder_ = std::filesystem::path(file_).parent_path().string();
    }

    store_check all() {
        if (!at_folder()) return {std::move(found_), std::move(id_)};
        at_forgotten();
        if (at_file()) into_file();
        return {std::move(found_), std::move(id_)};
    }

private:
    void add(finding one) { found_.push_back(std::move(one)); }
    [[nodiscard]] std::string log() const { return file_ + "-wal"; }
    [[nodiscard]] std::string index() const { return file_ + "-shm"; }

    // Each returns whether it is worth looking further.
    bool at_folder() {
        constexpr auto cure =
            "systemd-tmpfiles --create engramd.conf, or mend store.path or the folder's owner";
        struct stat found{};
        if (options_.path.empty()) {
            add({failure, "store.path is empty", "give the file that the database is to be in"});
            return false;
        }
        if (::stat(folder_.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
            add({failure,
                 "the folder " + folder_ + " of the database is missing or cannot be reached by " + me(),
                 cure});
            return false;
        }
        if (auto const refusal = refusal_of(folder_, W_OK | X_OK); !refusal.empty()) {
            add({failure,
                 "the folder " + folder_ + " of the database cannot be written to by " + me() + " (" +
                     refusal + ", owner " + user_name(found.st_uid) + ')',
                 cure});
            return false;
        }
        at_room();
        return true;
    }

    void at_room() {
        struct statvfs disk{};
        if (statvfs(folder_.c_str(), &disk) != 0) return;
        auto const room = std::uint64_t(disk.f_bavail) * disk.f_frsize;
        if (room >= std::max(least_room, 2 * size_of(log()).value_or(0))) return;
        add({warning, "the disk of the database has " + size_text(room) + " left", "make room on it"});
    }

    // Who was forgotten after a copy was made.
    void at_forgotten() {
        store::forgotten_list const list(options_.path);
        try {
            static_cast<void>(list.read());
        } catch (std::system_error const& failed) {
            auto const text = list.describe(failed);
            auto const at = text.find("; ");
            add({failure, "no jobs are taken: " + text.substr(0, at),
                 at == text.npos ? "" : text.substr(at + 2)});
            return;
        }
        auto const refusal = refusal_of(list.path(), W_OK);
        if (!refusal.empty() && size_of(list.path()))
            add({warning,
                 "nobody can be forgotten: " + list.path() + " cannot be written by " + me() + " (" +
                     refusal + ')',
                 "chown it to the user that engramd runs as, chmod u+rw"});
    }

    bool at_file() {
        struct stat found{};
        if (::stat(file_.c_str(), &found) != 0) {
            if (size_of(log()).value_or(0) > 0)
                add({failure, "the database " + file_ + " is missing, but not its log",
                     "put the database back, or move " + log() + " away"});
            else
                add({note, "there is no database " + file_ + " yet: it is made at the start"});
            return false;
        }
        if (!S_ISREG(found.st_mode)) {
            add({failure, file_ + " is no file", "mend store.path"});
            return false;
        }
        if (!may_use_files()) return false;
        if ((found.st_mode & S_IRWXO) != 0)
            add({warning, "every user of this machine may read the database " + file_, "chmod o= " + file_});
        if (found.st_size > 0) return true;
        add({warning, "the database " + file_ + " is an empty file: a new database would be made in it",
             "if there was one, go back to a copy of it"});
        return false;
    }

    bool may_use_files() {
        bool all = true;
        for (auto const& path : {file_, log(), index()}) {
            struct stat found{};
            if (::stat(path.c_str(), &found) != 0) continue;
            auto const refusal = refusal_of(path, R_OK | W_OK);
            if (refusal.empty()) continue;
            all = false;
            add({failure,
                 path + " cannot be read and written by " + me() + " (" + refusal + ", owner " +
                     user_name(found.st_uid) + ')',
                 "chown it to the user that engramd runs as, chmod u+rw"});
        }
        return all;
    }

    // How nothing is changed; none: there is no such way.
    [[nodiscard]] std::optional<connection::access> way_in() const {
        using enum connection::access;
        if (size_of(file_ + "-journal").value_or(0) > 0) return std::nullopt;
        if (!size_of(log())) return read_only_and_unshared;
        if (size_of(index())) return read_only_and_leave_index;
        if (size_of(log()) == 0) return read_only_and_unshared;
        return std::nullopt;
    }

    void into_file() {
        auto const way = way_in();
        if (!way) {
            add({note, "a crash has left the database " + file_ +
                           " so that only the next start can look into it: its log has no index"});
            return;
        }
        try {
            into_file(*way);
        } catch (store::sqlite_error const& failed) {
            // Of a log that somebody has open only those may read who share its index.
            bool const is_refused = (failed.code() & 0xFF) == read_only_code;
            bool const is_in_use = is_refused || *way == connection::access::read_only_and_unshared;
            if (is_in_use && size_of(index()))
                last_try();
            else
                add(judge(failed));
        }
    }

    void last_try() {
        try {
            into_file(connection::access::read_only);
        } catch (store::sqlite_error const& failed) {
            add(judge(failed));
        }
    }

    [[nodiscard]] finding judge(store::sqlite_error const& why) const {
        auto const what = "the database " + file_ + " cannot be used (" + why.what() + ')';
        if (why.is_damage()) return {failure, what + ": it is damaged or no SQLite database", go_back};
        if (why.is_busy())
            return {failure, what, "end the program that holds it: fuser " + file_ + " names it", true};
        return {failure, what, "see that the file and its folder can be read and written by " + me()};
    }

    void into_file(connection::access way) {
        connection db(file_, way, longest_lock);
        db.leave_log(true);
        auto about = at_version(db);
        bool const go_on = about.how != failure;
        if (go_on && way == connection::access::read_only_and_leave_index && !at_log()) return;
        if (go_on) at_pages(db, about);
        add(std::move(about));
    }

    // Its version, and which it is.
    finding at_version(connection& db) {
        auto const version = db.query_integer("PRAGMA user_version");
        auto const known = std::to_string(store::schema_version);
        if (db.query_integer("PRAGMA application_id") != store::engram_application_id) {
            if (store::has_any_tables(db) && !store::has_assistant_tables(db))
                return {failure, "the database " + file_ + " belongs to another program",
                        "give another store.path"};
            return {note, "the database " + file_ + " is taken over at the start: make a copy before"};
        }
        if (version > store::schema_version)
            return {failure,
                    "the database " + file_ + " has schema version " + std::to_string(version) +
                        ", this program knows versions up to " + known,
                    "run a newer engramd, or go back to the copy from before the upgrade"};
        if (version < store::schema_version)
            return {note, "the database " + file_ + " is brought from schema version " +
                              std::to_string(version) + " to " + known + " at the start: make a copy before"};
        auto const id = db.query_integer("SELECT value FROM engram_state WHERE name = 'database_id'");
        if (id != 0) id_ = store::id_text(std::uint64_t(id));
        return {ok, "the database " + file_ + ", " + size_text(size_of(file_).value_or(0)) +
                        ", schema version " + known + (id_.empty() ? "" : ", id " + id_)};
    }

    bool at_log() {
        try {
            if (auto const left = store::look_at_left(file_); left && left->index)
                store::check_log(file_, *left, longest_lock);
            return true;
        } catch (store::open_error const& failed) {
            add({failure, failed.what()});
            return false;
        }
    }

    // Damage is told in place of what `about` says.
    void at_pages(connection& db, finding& about) {
        deadline until(patience_);
        store::opening looking(&until);
        looking.attach(db);
        try {
            auto const said = db.query_text("PRAGMA quick_check(1)");
            if (said != "ok")
                about = {failure, "the database " + file_ + " is damaged (" + said + ')', go_back};
        } catch (store::sqlite_error const&) {
            if (!looking.stopped()) throw;
            auto const seconds = std::chrono::ceil<std::chrono::seconds>(patience_).count();
            add({note, "the database is too large to be searched for damage in " + std::to_string(seconds) +
                           " s: sqlite3 " + file_ + " 'PRAGMA quick_check' looks at all of it"});
        }
        looking.detach(db);
    }

    store::options const& options_;
    std::chrono::milliseconds patience_;
    std::string file_, folder_;
    findings found_;
    std::string id_;
};

}  // namespace

store_check check_store(store::options const& options, std::chrono::milliseconds patience) {
    return look(options, patience).all();
}

}  // namespace engram::daemon
