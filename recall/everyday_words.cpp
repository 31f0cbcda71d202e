#include "recall/everyday_words.hpp"

#include "recall/hash.hpp"
#include "recall/tokens.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

// NOLINTNEXTLINE: there is no other way to have a file in a program before C++26.
asm(".section .rodata\n"
    ".balign 8\n"
    "engram_everyday_words:\n"
    ".incbin \"" EVERYDAY_WORDS
    "\"\n"
    "engram_everyday_words_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" char const engram_everyday_words[];

namespace engram::recall {
namespace {

constexpr std::size_t head = 24;

struct sorted_hashes {
    char const* first;
    std::size_t size;

    [[nodiscard]] bool has(std::uint32_t hash) const {
        std::size_t low = 0, high = size;
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            auto const here = read_u32(first + 4 * middle);
            if (here == hash) return true;
            (here < hash ? low : high) = here < hash ? middle + 1 : middle;
        }
        return false;
    }
};

struct lists {
    sorted_hashes fillers, words;
};

lists const& both() {
    static lists const all = [] {
        auto const fillers = read_u32(engram_everyday_words + 16);
        auto const words = read_u32(engram_everyday_words + 20);
        char const* const first = engram_everyday_words + head;
        return lists{{first, fillers}, {first + std::size_t{4} * fillers, words}};
    }();
    return all;
}

bool is_common(std::u32string_view word) {
    return commonness_of(to_utf8(word)) != commonness::rare;
}

}  // namespace

commonness commonness_of(std::string_view word) {
    auto const hash = hash_of(word);
    if (both().fillers.has(hash)) return commonness::filler;
    return both().words.has(hash) ? commonness::everyday : commonness::rare;
}

commonness commonness_of_form(std::u32string_view word) {
    auto const exact = commonness_of(to_utf8(word));
    if (exact != commonness::rare || word.empty()) return exact;
    auto const script = script_of(word.front());
    bool const syllables = script == script::hangul;
    for (std::size_t ending = 1; ending <= 3; ++ending) {
        // What is left has to be a word that means something: "likes", but not "Annika".
        auto const least = syllables ? std::size_t{2} : ending == 1 ? std::size_t{4} : std::size_t{5};
        if (word.size() < least + ending) break;
        if (is_common(word.substr(0, word.size() - ending))) return commonness::everyday;
    }
    if (script != script::semitic) return exact;
    for (std::size_t before = 1; before <= 3 && word.size() >= 3 + before; ++before)
        if (is_common(word.substr(before))) return commonness::everyday;
    return exact;
}

}  // namespace engram::recall
