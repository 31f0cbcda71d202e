// Not a target to be fuzzed: one that aborts at its first input, for the test of corpus_main.cpp.
#include "require.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* /*data*/, std::size_t size) {
    REQUIRE(size == 0);
    return 0;
}
