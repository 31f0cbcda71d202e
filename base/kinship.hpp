// How near a text is to one that is to be kept out of it. The store knows where both stand, recall what they
// have in common (store/telltale.hpp, recall/telltale.hpp).
#pragma once

#include <cstdint>

namespace engram::base {

/// The nearer, the less of that a sentence may have in common with it.
enum class kinship : std::uint8_t {
    none,       ///< nothing goes
    elsewhere,  ///< of another time or by somebody who did not know it: what plainly tells it
    repeated,   ///< by the user, while it was known: also what has a rare word of it
    made,       ///< by a model that had read it: also what has a name of it
    told,       ///< where it was told: also what has half of its words
};

}  // namespace engram::base
