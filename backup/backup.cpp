#include "backup/backup.hpp"

#include "backup/database_use.hpp"
#include "backup/failure.hpp"
#include "base/failpoint.hpp"
#include "base/random_id.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace engram::backup {

namespace fs = std::filesystem;

namespace {

void check_target(std::string const& database, std::string const& file, bool replace) {
    struct stat there{};
    for (auto const* suffix : {"", "-wal", "-shm", "-journal", ".forgotten"})
        if (resolved(file) == database + suffix)
            throw failure(EX_USAGE, file + " is the database itself, or belongs to it; name another file");
    if (::lstat(file.c_str(), &there) != 0) return;
    if (!S_ISREG(there.st_mode)) throw failure(EX_CANTCREAT, file + " is no file; name another one");
    if (!replace)
        throw failure(EX_CANTCREAT,
                      file + " is there already; name another file, or replace it with --force");
    if (auto const user = user_of(file))
        throw failure(EX_TEMPFAIL, *user + " uses " + file + "; name another file");
}

// Of the file that is replaced: they would be taken for those of the copy.
void remove_log_of(std::string const& file) {
    for (auto const* suffix : {"-wal", "-journal", "-shm"})
        if (::unlink((file + suffix).c_str()) != 0 && errno != ENOENT)
            throw failure(EX_CANTCREAT, file + suffix + " cannot be removed: " + std::strerror(errno) +
                                            "; name another file");
}

// Unless told so, what has got the name meanwhile is left alone: link(), unlike rename(), does. File systems
// without hard links have a rename that does, too.
int rename_as_told(std::string const& part, std::string const& file, bool replace) {
    if (replace) return std::rename(part.c_str(), file.c_str()) == 0 ? 0 : errno;
    if (::link(part.c_str(), file.c_str()) == 0) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    return ::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
}

void give_name(std::string const& part, std::string const& file, bool replace) {
    int const error = rename_as_told(part, file, replace);
    ::unlink(part.c_str());  // one of its two names, or all of it
    if (error != 0)
        throw failure(EX_CANTCREAT,
                      file + " cannot be made: " + std::strerror(error) + "; name another file");
}

}  // namespace

contents back_up(std::string const& database, std::string const& file, bool replace) {
    auto const source_path = resolved(database);
    auto const target = fs::absolute(file).string();
    check_target(source_path, target, replace);
    auto const part = target + ".part-" + base::random_hex(8);
    contents found;
    {
        auto source = open_source(source_path);
        found = copy_into(source, part);
    }
    base::failpoint("backup_copied");
    if (replace) remove_log_of(target);
    give_name(part, target, replace);
    sync_folder_of(target);
    return found;
}

}  // namespace engram::backup
