#include "backup/database_use.hpp"

#include "backup/failure.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sysexits.h>
#include <unistd.h>

namespace engram::backup {
namespace {

// SQLite's PENDING, RESERVED and SHARED bytes, one behind the other.
constexpr off_t lock_bytes_at = 0x4000'0000, lock_bytes = 512;

struct flock write_lock() {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = lock_bytes_at;
    lock.l_len = lock_bytes;
    return lock;
}

std::string name_of(pid_t process) {
    if (process <= 0) return "a process";  // of another container, or one that locks as we do
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
    return (name.empty() ? "a process" : name) + " (process " + std::to_string(process) + ")";
}

std::optional<std::string> holder(int file) {
    auto lock = write_lock();
    if (::fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
    return name_of(lock.l_pid);
}

failure cannot_open(std::string const& database, int error) {
    return {error == EACCES || error == EPERM || error == EROFS ? EX_NOPERM : EX_NOINPUT,
            database + " cannot be opened: " + std::strerror(error) + "; run this as root"};
}

}  // namespace

std::optional<std::string> user_of(std::string const& database) {
    int const file = ::open(database.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return std::nullopt;
    if (file < 0) throw cannot_open(database, errno);
    auto found = holder(file);
    ::close(file);
    return found;
}

held_database::held_database(std::string const& database)
    : file_(::open(database.c_str(), O_RDWR | O_CLOEXEC)) {
    if (file_ < 0) throw cannot_open(database, errno);
    auto lock = write_lock();
    if (::fcntl(file_, F_OFD_SETLK, &lock) == 0) return;
    auto const error = errno;
    auto const user = holder(file_);
    ::close(file_);
    if (error != EAGAIN && error != EACCES) throw cannot_open(database, error);
    throw failure(EX_TEMPFAIL,
                  user.value_or("a process") + " uses " + database + ": systemctl stop 'engramd*' first");
}

held_database::~held_database() {
    ::close(file_);
}

}  // namespace engram::backup
