// A query, taken apart.
#pragma once

#include "recall/asked_text.hpp"
#include "recall/dates.hpp"
#include "recall/neighbours.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

struct query {
    /// A stem that the texts may have instead of the term's own.
    struct variant {
        std::uint32_t key;
        float nearness;
    };
    struct term {
        std::string shown;              ///< the word as asked
        std::vector<variant> variants;  ///< the nearest first
        bool aside;                     ///< of a long message, not of its question
    };
    /// A word that may turn out to be the name of a speaker.
    struct name {
        std::string shown;
        std::uint32_t term;  ///< the term of this word, no_term if none
    };
    static constexpr std::uint32_t no_term = 0xFFFFFFFF;

    /// Small talk has no terms and no dates.
    query(std::string_view text, word_neighbours const* neighbours, std::uint32_t now_minutes);

    std::vector<term> terms;
    std::vector<std::uint32_t> keys;      ///< hashes of all stems looked for; the first are the terms' own
    std::vector<std::string_view> shown;  ///< of the keys that follow; in the table of neighbours
    std::vector<name> names;
    std::vector<std::uint32_t> name_hashes;  ///< of `names`
    std::vector<asked_date> dates;
    bool asks_when = false;
    bool asks_assistant = false;  ///< after what the assistant said

private:
    void read_words(std::vector<asked_text::word> const& words);
    void add_variants(word_neighbours const& neighbours);
};

}  // namespace engram::recall
