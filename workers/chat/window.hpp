// What a conversation has outside of summaries.
#pragma once

#include <cstddef>

namespace engram::workers {

struct window {
    std::size_t turns = 0;
    std::size_t bytes = 0;  ///< as far as it is loaded; SIZE_MAX: more than fits into a prompt
};

}  // namespace engram::workers
