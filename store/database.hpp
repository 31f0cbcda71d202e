// Everything that engram keeps, behind one object: an engine implements this.
#pragma once

#include "store/conversations.hpp"
#include "store/keeping.hpp"
#include "store/memories.hpp"
#include "store/summaries.hpp"
#include "store/upkeep.hpp"

namespace engram::store {

/// Whoever uses the store takes the port that they need and no more.
class database : public conversations, public summaries, public memories, public upkeep, public keeping {};

}  // namespace engram::store
