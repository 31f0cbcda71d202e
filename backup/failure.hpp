// Why a copy was not made, or not put back.
#pragma once

#include <stdexcept>
#include <string>

namespace engram::backup {

/// One line that names the file, the cause and the cure. Nothing was changed.
struct failure : std::runtime_error {
    failure(int status, std::string const& what) : std::runtime_error(what), status(status) {}
    int status;  ///< of sysexits.h
};

}  // namespace engram::backup
