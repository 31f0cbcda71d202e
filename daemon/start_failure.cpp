#include "daemon/start_failure.hpp"

#include "base/local_lack.hpp"

#include <cerrno>
#include <sysexits.h>

namespace engram::daemon {

bool start_failure::passes() const {
    return status == EX_TEMPFAIL;
}

start_failure judge_start(std::exception const& why) {
    switch (base::error_number(why)) {
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
