#include "claude/shortage.hpp"

#include "base/log.hpp"

namespace engram::claude {

shortage::waiting::waiting(shortage& of, base::steady_time now) : of_(of) {
    if (of_.waiting_++ == 0) of_.quiet_since_ = now;
}

shortage::waiting::~waiting() {
    if (--of_.waiting_ == 0) of_.lack_.clear();
}

void shortage::waiting::met(std::string_view lack, base::steady_time now) {
    of_.lack_ = lack;
    if (auto const untold = of_.told_.tell(lack, now))
        base::log_warn("calls to Claude wait for what this machine lacks",
                       {{"error", lack}, {"calls", of_.waiting_}, {"repeated", *untold}});
}

}  // namespace engram::claude
