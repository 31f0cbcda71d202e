#include "ctl/export_file.hpp"

#include "base/random_id.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace engram::ctl {

namespace {

complaint cannot_make(std::string const& path, int error) {
    return {path + " cannot be made: " + std::strerror(error) + "; name another file", EX_CANTCREAT};
}

}  // namespace

export_file::~export_file() {
    if (!file_) return;
    std::fclose(file_);
    unlink(part_.c_str());
}

std::optional<complaint> export_file::open() {
    if (path_.empty()) return std::nullopt;
    struct stat there{};
    if (lstat(path_.c_str(), &there) == 0) return cannot_make(path_, EEXIST);
    part_ = path_ + ".part-" + base::random_hex(8);
    // O_EXCL: an older file would keep its mode, and a program that has it open could read what is written.
    int const descriptor = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0) file_ = fdopen(descriptor, "w");
    if (file_) return std::nullopt;
    return cannot_make(path_, errno);
}

void export_file::write(std::string_view text) {
    if (file_)
        std::fwrite(text.data(), 1, text.size(), file_);
    else
        std::cout << text;
}

std::optional<complaint> export_file::finish() {
    if (!file_) return std::nullopt;  // standard output is looked after where the program ends
    bool const written = std::fflush(file_) == 0 && std::ferror(file_) == 0 && fsync(fileno(file_)) == 0;
    bool const closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    // Unlike rename(), link() leaves alone what has the name by now. File systems without hard links have a
    // rename that does.
    int error = written && closed && link(part_.c_str(), path_.c_str()) != 0 ? errno : 0;
    if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS)
        error =
            renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
    unlink(part_.c_str());
    if (error != 0) return cannot_make(path_, error);
    if (written && closed) return std::nullopt;
    return complaint{path_ + " could not be written; is the disk full?", EX_IOERR};
}

}  // namespace engram::ctl
