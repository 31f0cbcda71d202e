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

/// A stretch of a text, short enough to be of one thing.
struct passage {
    std::uint32_t hits;    ///< where its hits begin; they end where the next one's begin
    std::uint16_t length;  ///< stems
    bool of_answer;        ///< the assistant said it
};

/// What takes one slot of what is found: a memory, a turn, or a message and the answer to it.
struct seen_text {
    std::int64_t id;        ///< of what the user said, if they said any of it
    std::int64_t answer;    ///< the item that has the answer: another one if the store keeps turns apart
    std::uint32_t episode;  ///< no_episode: of no session
    std::uint32_t minutes;
    std::uint32_t passages;  ///< where its passages begin; they end where the next one's begin
    std::uint16_t name;      ///< of the query's names the speaker's; no_name: another speaker, or none
    std::uint8_t flags;      ///< entry_flags of its first part
    bool answered;           ///< has two voices

    [[nodiscard]] voice by() const { return static_cast<voice>(flags & entry_flags::voice_bits); }
    [[nodiscard]] bool is_memory() const { return by() == voice::memory; }
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
    std::vector<passage> passages;
    std::vector<hit> hits;
    std::vector<episode> episodes;
    std::vector<std::uint32_t> texts_with;  ///< how many texts have each key
    std::vector<bool> is_speaker;           ///< for each name, whether some text is by that speaker
    std::uint64_t length = 0;               ///< stems of all passages

private:
    [[nodiscard]] bool answers_the_last(item const& one, part_view const& first) const;
    void begin_text(item const& one, part_view const& first);
    void see_part(part_view const& part);
    void see_passage(part_view const& part, std::size_t begin, std::size_t end);
    [[nodiscard]] std::uint16_t see_speaker(part_view const& part);
    [[nodiscard]] std::uint32_t episode_of(item const& one, part_view const& part);

    session_table sessions_;
    std::uint32_t last_session_ = 0;        ///< of the latest text, 0: none
    std::vector<std::uint32_t> last_hit_;   ///< for each key, its latest hit
    std::vector<std::uint32_t> last_text_;  ///< for each key, the latest text that has it, counted from 1
    std::vector<std::uint32_t> passed_;     ///< hashes of one passage that came through the filter
};

}  // namespace engram::recall
