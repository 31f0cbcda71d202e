// What a search has gathered when all texts have passed.
#pragma once

#include "recall/entry_view.hpp"
#include "recall/key_table.hpp"
#include "recall/query.hpp"
#include "recall/search.hpp"
#include "recall/session_table.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace engram::recall {

/// Some of the looked-for stems that a text has.
struct hit {
    std::uint16_t key;
    std::uint16_t count;
};

inline constexpr std::uint32_t no_episode = session_table::none;

inline constexpr std::uint32_t no_name = 2'047;
static_assert(most_stems < no_name);

struct seen_text {
    std::int64_t id;
    std::uint32_t episode;  ///< no_episode: of no session
    std::uint32_t minutes;
    std::uint32_t hits;         ///< where its hits begin; they end where the next one's begin
    std::uint32_t length : 11;  ///< stems
    std::uint32_t flags : 8;    ///< entry_flags
    std::uint32_t name : 11;    ///< of the query's names the speaker's; no_name: another speaker, or none

    [[nodiscard]] bool is_memory() const {
        return static_cast<voice>(flags & entry_flags::voice_bits) == voice::memory;
    }
};

/// Turns of one session without a long pause.
struct episode {
    std::uint32_t started;  ///< minutes, 0 = unknown
    std::uint32_t latest;
    std::uint32_t turns;
    std::uint32_t length;  ///< stems
};

struct gathered {
    gathered(std::string_view text, word_neighbours const* neighbours, std::uint32_t now_minutes);

    void see(item const& one);

    query asked;
    key_table keys, names;
    std::vector<seen_text> texts;
    std::vector<hit> hits;
    std::vector<episode> episodes;
    std::vector<std::uint32_t> texts_with;  ///< how many texts have each key
    std::vector<bool> is_speaker;           ///< for each name, whether some text is by that speaker
    std::uint64_t length = 0;               ///< stems of all texts

private:
    void see_words(entry_view const& entry);
    [[nodiscard]] std::uint32_t see_speaker(entry_view const& entry);
    [[nodiscard]] std::uint32_t episode_of(item const& one, entry_view const& entry);

    session_table sessions_;
    std::vector<std::uint32_t> last_hit_;  ///< for each key, its latest hit
    std::vector<std::uint32_t> passed_;    ///< hashes of one text that came through the filter
};

}  // namespace engram::recall
