#include "ctl/complaint.hpp"

#include "ctl/display.hpp"

#include <cstdio>
#include <iostream>
#include <sysexits.h>

namespace engram::ctl {

namespace {

struct known_error {
    std::string_view code;
    std::string_view advice;
    int status;
};

constexpr known_error known[] = {
    {"WRONGTYPE",
     "a key of engram holds something else; is this the right --prefix, or does another program write there?",
     EX_CONFIG},
    {"READONLY", "this Redis is a replica; name the master with --redis", EX_TEMPFAIL},
    {"OOM", "Redis is full; raise its maxmemory or make room, then try again", EX_TEMPFAIL},
    {"MISCONF", "Redis cannot write to its disk; see its log, then try again", EX_TEMPFAIL},
    {"NOREPLICAS", "Redis has too few replicas to take writes; try again later", EX_TEMPFAIL},
    {"LOADING", "Redis is still loading its data; try again", EX_TEMPFAIL},
    {"MASTERDOWN", "this Redis is a replica without a master; try again later", EX_TEMPFAIL},
    {"BUSY", "Redis is busy with a script; try again", EX_TEMPFAIL},
    {"NOPERM", "the Redis user may not do this; name another with --redis redis://user:password@host",
     EX_NOPERM},
    {"NOAUTH", "Redis wants a password: --redis redis://user:password@host", EX_NOPERM},
};

// Inside of a script Redis before 7.0 puts the code of an error behind words of its own, and all tell with
// other words what a user may not do.
bool speaks_of(std::string_view message, std::string_view code) {
    auto const says = [&](std::string_view words) { return message.find(words) != std::string_view::npos; };
    auto const text = std::string(code) + ' ';
    if (message.starts_with(text) || says(": " + text) || says(": -" + text)) return true;
    return code == "NOPERM" && (says("The user executing the script") || says("ACL failure in script"));
}

}  // namespace

complaint explain(redis::error const& error) {
    auto const said = cut_text(safe_text(error.message), 300);
    if (error.kind != redis::error_kind::refused)
        return {"the connection to Redis was lost (" + said + "); run it again: nothing is done twice",
                EX_UNAVAILABLE};
    for (auto const& one : known) {
        if (speaks_of(error.message, one.code))
            return {std::string(one.advice) + " (" + said + ")", one.status};
    }
    return {"Redis refused: " + said, EX_UNAVAILABLE};
}

bool is_passing(redis::error const& error) {
    using enum redis::error_kind;
    return error.kind != refused || error.has_code("LOADING") || error.has_code("READONLY") ||
           error.has_code("BUSY") || error.has_code("MASTERDOWN") || error.has_code("UNBLOCKED");
}

void complain(std::string_view line) {
    std::cout.flush();
    std::fprintf(stderr, "engramctl: %s\n", safe_text(line).c_str());
}

}  // namespace engram::ctl
