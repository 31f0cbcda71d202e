#include "base/chance.hpp"

#include <random>

namespace engram::base {

double chance() {
    static thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace engram::base
