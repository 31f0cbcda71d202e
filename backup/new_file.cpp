#include "backup/new_file.hpp"

#include "backup/copying.hpp"
#include "backup/database_use.hpp"
#include "backup/failure.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace engram::backup {

namespace {

// link(), unlike rename(), leaves alone what has the name. File systems without hard links have a rename that
// does, too.
int rename_as_told(std::string const& part, std::string const& file, bool replace) {
    if (replace) return std::rename(part.c_str(), file.c_str()) == 0 ? 0 : errno;
    if (::link(part.c_str(), file.c_str()) == 0) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    return ::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
}

// Of the file that is replaced: they would be taken for those of the new one.
void remove_log_of(std::string const& file) {
    for (auto const* suffix : {"-wal", "-journal", "-shm"})
        if (::unlink((file + suffix).c_str()) != 0 && errno != ENOENT)
            throw failure(EX_CANTCREAT, file + suffix + " cannot be removed: " + std::strerror(errno) +
                                            "; name another file");
}

}  // namespace

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

void make_file(std::string const& path) {
    int const file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        throw failure(EX_CANTCREAT, path + " cannot be made: " + std::strerror(errno) +
                                        (errno == EACCES ? "; run this as root" : ""));
    ::close(file);
}

void remove_database(std::string const& path) noexcept {
    for (auto const* suffix : {"", "-journal", "-wal", "-shm"})
        ::unlink((path + suffix).c_str());
}

void give_name(std::string const& part, std::string const& file, bool replace) {
    if (replace) remove_log_of(file);
    int const error = rename_as_told(part, file, replace);
    ::unlink(part.c_str());  // one of its two names, or all of it
    if (error != 0)
        throw failure(EX_CANTCREAT,
                      file + " cannot be made: " + std::strerror(error) + "; name another file");
}

}  // namespace engram::backup
