#include "ctl/export_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace engram::ctl {

export_file::~export_file() {
    if (!file_) return;
    std::fclose(file_);
    unlink(path_.c_str());
}

std::optional<complaint> export_file::open() {
    if (path_.empty()) return std::nullopt;
    // O_EXCL: an older file would keep its mode, and whoever has it open would read along.
    int const descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0) file_ = fdopen(descriptor, "w");
    if (file_) return std::nullopt;
    return complaint{path_ + " cannot be made: " + std::strerror(errno) + "; name another file",
                     EX_CANTCREAT};
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
    if (written && closed) return std::nullopt;
    unlink(path_.c_str());
    return complaint{path_ + " could not be written; is the disk full?", EX_IOERR};
}

}  // namespace engram::ctl
