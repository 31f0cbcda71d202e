// Consolidation: what a model is asked about a user's memories, and what of its answer is taken. Pure.
#pragma once

#include "base/result.hpp"
#include "claude/client.hpp"
#include "store/upkeep.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

struct consolidation_options {
    bool enabled = false;
    std::string model = "claude-haiku-5-5";
    std::uint32_t max_tokens = 8192;
    std::size_t every_memories = 50;  ///< new ones of a user since the last time
    std::chrono::hours interval{0};   ///< or this long since then, if there is any new one; 0: by count only
    std::size_t most_memories = 200;  ///< shown at a time, the newest
    std::chrono::milliseconds timeout{120'000};  ///< one user, all tries together
    std::chrono::milliseconds sweep{300'000};    ///< how often users are looked for
};

/// Those of a task that are shown to the model, oldest first: the newest that fit, none that is too long to
/// be shown whole, each with a label of its own. Only these may be touched by the answer.
[[nodiscard]] std::vector<store::memory_record> choose_memories(consolidation_options const& options,
                                                                std::vector<store::memory_record> all);

/// REQUIRES: `memories` from choose_memories(). They are fenced and escaped: data, never instructions.
[[nodiscard]] claude::request compose_consolidation(consolidation_options const& options,
                                                    std::vector<store::memory_record> const& memories);

/// Why a proposal of the model was not taken.
enum class refusal {
    malformed,  ///< not of the form that was asked for
    unknown,    ///< names a memory that was not shown
    repeated,   ///< names a memory that another proposal, or this one, has named already
    pinned,     ///< would end a pinned memory
    single,     ///< a merge of fewer than two memories
    mixed,      ///< memories of different types, or another type than theirs
    unfit,      ///< content that is blank, long, not one line, or longer than what it replaces
    invented,   ///< a number or a name that no source has
    older,      ///< a memory would be superseded by one from before it
    too_many,   ///< more than half of the memories would end
};

inline constexpr std::size_t refusal_kinds = std::size_t(refusal::too_many) + 1;

struct consolidation_plan {
    std::vector<store::consolidation_step> steps;
    std::size_t merged = 0;      ///< memories that end in a new one
    std::size_t superseded = 0;  ///< memories that end in favour of one that stays
    std::array<std::size_t, refusal_kinds> refused{};

    [[nodiscard]] std::size_t refusals() const;
};

/// "invented 2, pinned 1": for the log, without a word of the texts.
[[nodiscard]] std::string describe_refusals(consolidation_plan const& plan);

struct unreadable_plan {
    std::string why;
};

/// The answer is not trusted: each proposal is taken or refused by itself. REQUIRES: `memories` as they were
/// shown. An error: the answer as a whole is not what was asked for.
[[nodiscard]] base::result<consolidation_plan, unreadable_plan> read_consolidation(
    std::string_view answer, std::vector<store::memory_record> const& memories);

}  // namespace engram::workers
