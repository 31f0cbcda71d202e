// What this process or its machine has run out of, told as that and not as somebody else's failure.
#pragma once

#include <exception>
#include <string>
#include <system_error>

namespace engram::base {

/// With the cure: "this machine: no file descriptor is free (limit 64): raise …". Empty: `error` tells of no
/// lack here. For errors of the system (errno); boost::system::error_code converts.
[[nodiscard]] std::string local_lack(std::error_code const& error);

/// The same where a thread was to be started, or memory to be had: std::bad_alloc, std::system_error and
/// boost::system::system_error.
[[nodiscard]] std::string local_lack(std::exception const& failure);

/// The errno that `failure` stands for; 0: none.
[[nodiscard]] int error_number(std::exception const& failure);

/// Whether a file could be opened now, as local_lack() tells it. For libraries that keep to themselves why
/// they could not: a resolver without a file descriptor finds no name, TLS no authority.
[[nodiscard]] std::string lack_of_files();

}  // namespace engram::base
