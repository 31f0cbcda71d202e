#include "recall/known_words.hpp"

#include "recall/hash.hpp"
#include "recall/stem.hpp"
#include "recall/word_lists.hpp"

#include <algorithm>
#include <array>

namespace engram::recall {
namespace {

struct slot {
    std::uint64_t word = 0;  // 64 bits of hash are as good as the word: no two meet here
    known_word known;
};

bool is_year(std::string_view word) {
    return word.size() == 4 &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

known_word look_up(std::string_view word) {
    thread_local std::array<slot, 4'096> remembered;
    auto const hash = wide_hash_of(word);
    auto& place = remembered[hash % remembered.size()];
    if (place.word != hash || hash == 0)
        place = {hash,
                 {hash_of(stem_of(word)), is_stop_word(word), is_first_person(word),
                  is_time_word(word) || is_year(word)}};
    return place.known;
}

}  // namespace engram::recall
