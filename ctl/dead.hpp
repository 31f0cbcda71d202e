// `engramctl dead`: the jobs that ended in an error, or were none.
#pragma once

#include "ctl/connection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace engram::ctl {

struct dead_request {
    std::string prefix = "engram";
    std::vector<std::string> entries;  ///< as given
    std::optional<std::string> reason;
    std::optional<std::string> cursor;  ///< an entry: the list goes on with what is older
    long limit = 50;
    bool all = false;  ///< instead of entries: all that are there now, with that reason if one is given
    bool raw = false;
    bool json = false;
    bool yes = false;
};

/// Each prints its result, or one line on standard error that says what to do, and returns an exit code of
/// sysexits.h: EX_NOINPUT for an entry that is gone, EX_DATAERR for one without a job, EX_USAGE for what is
/// no entry, that of explain() for an error of Redis. What was done before an error stays done, and is told.
[[nodiscard]] int list_dead_letters(connection& redis, dead_request const& request);
[[nodiscard]] int show_dead_letter(connection& redis, dead_request const& request);
[[nodiscard]] int retry_dead_letters(connection& redis, dead_request const& request);
[[nodiscard]] int drop_dead_letters(connection& redis, dead_request const& request);

}  // namespace engram::ctl
