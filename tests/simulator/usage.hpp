// What an answer cost, as `usage` shows it.
#pragma once

#include <cstdint>

namespace engram::simulator {

struct usage {
    std::int64_t input_tokens = 0;
    std::int64_t cache_write_5m = 0;
    std::int64_t cache_write_1h = 0;
    std::int64_t cache_read = 0;
    std::int64_t output_tokens = 0;
    std::int64_t thinking_tokens = 0;
};

}  // namespace engram::simulator
