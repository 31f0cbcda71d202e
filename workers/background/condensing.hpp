// Condensing: the oldest summaries of a long conversation become one that has their numbers and names, as far
// as these can be told by their look (invention.hpp). What else is in them depends on the model. Pure.
#pragma once

#include "claude/client.hpp"
#include "store/types.hpp"
#include "workers/options.hpp"

#include <optional>
#include <string>
#include <vector>

namespace engram::workers {

/// The summaries, oldest first, are fenced and escaped: data, never instructions.
[[nodiscard]] claude::request compose_condensing(summary_options const& options,
                                                 std::vector<store::memory> const& summaries);

/// What takes the place of the summaries: the points of the answer, and before them, as they were, those
/// points of the summaries of which retelling::lacks() says that the answer has a number or a name less.
/// Nothing if that is no shorter than the summaries are, or the answer is empty, refused or was cut off: they
/// must stay, then.
[[nodiscard]] std::optional<std::string> read_condensed(claude::answer const& answer,
                                                        std::vector<store::memory> const& summaries);

}  // namespace engram::workers
