#include "base/repeated.hpp"

#include <algorithm>
#include <utility>

namespace engram::base {

std::optional<std::uint64_t> repeated::tell(std::string_view cause, steady_time now) {
    std::erase_if(told_, [&](told const& one) { return now - one.at >= every_; });
    bool const known = std::ranges::find(told_, cause, &told::cause) != told_.end();
    if (known || told_.size() >= most_causes) {
        ++untold_;
        return std::nullopt;
    }
    told_.push_back({std::string(cause), now});
    return std::exchange(untold_, 0);
}

void repeated::over() {
    told_.clear();
    untold_ = 0;
}

}  // namespace engram::base
