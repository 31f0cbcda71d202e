#include "daemon/start_failure.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <new>
#include <sysexits.h>
#include <system_error>

namespace engram::daemon {

namespace {

// 0: it is not an error of the system.
int number_of(std::exception const& why) {
    if (dynamic_cast<std::bad_alloc const*>(&why)) return ENOMEM;
    if (auto const* const error = dynamic_cast<std::system_error const*>(&why)) {
        auto const& kind = error->code().category();
        bool const is_number = kind == std::system_category() || kind == std::generic_category();
        return is_number ? error->code().value() : 0;
    }
    if (auto const* const error = dynamic_cast<boost::system::system_error const*>(&why)) {
        auto const& kind = error->code().category();
        bool const is_number =
            kind == boost::system::system_category() || kind == boost::system::generic_category();
        return is_number ? error->code().value() : 0;
    }
    return 0;
}

}  // namespace

bool start_failure::passes() const {
    return status == EX_TEMPFAIL;
}

start_failure judge_start(std::exception const& why) {
    switch (number_of(why)) {
        case EAGAIN:
            return {EX_TEMPFAIL, "raise TasksMax= of the unit, or the limit of processes of the user"};
        case EMFILE:
        case ENFILE:
            return {EX_TEMPFAIL, "raise LimitNOFILE= of the unit, or fs.file-max of the machine"};
        case ENOMEM:
        case ENOBUFS:
            return {EX_TEMPFAIL, "more memory, or a higher MemoryMax= of the unit"};
        default:
            return {EX_CONFIG, ""};
    }
}

}  // namespace engram::daemon
