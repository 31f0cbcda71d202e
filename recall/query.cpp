#include "recall/query.hpp"

#include "recall/entry_view.hpp"
#include "recall/hash.hpp"
#include "recall/stem.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <cstddef>
#include <unordered_map>

namespace engram::recall {
namespace {

/// With neighbours of more terms than this nearly every word of every text would be a hit: twice the time,
/// for a query that says enough itself.
constexpr std::size_t most_with_variants = 32;

struct asked_word {
    std::string text, stem;
    bool stop;
};

std::vector<asked_word> words_of(std::string_view text) {
    std::vector<asked_word> all;
    word_reader reader(text);
    for (word one{}; all.size() < most_stems && reader.next(one);) {
        if (is_contraction(one.text)) continue;
        all.push_back({std::string(one.text), stem_of(one.text), is_stop_word(one.text)});
    }
    return all;
}

/// "when", "how long", "since when", "what day" at the start.
bool asks_for_a_time(std::vector<asked_word> const& words) {
    if (words.empty()) return false;
    auto const& first = words[0].text;
    std::string_view const second = words.size() > 1 ? std::string_view(words[1].text) : std::string_view();
    if (first == "when" || (first == "how" && second == "long") || (first == "since" && second == "when"))
        return true;
    return first == "what" &&
           (second == "date" || second == "day" || second == "month" || second == "year" || second == "time");
}

/// For the explanation: whole characters, at most 64 bytes.
std::string shorten(std::string text) {
    constexpr std::size_t most = 64;
    if (text.size() <= most) return text;
    std::size_t end = most;
    while (end > 0 && (text[end] & 0xC0) == 0x80)
        --end;
    text.resize(end);
    return text + "…";
}

}  // namespace

query::query(std::string_view text, word_neighbours const* neighbours, std::uint32_t now_minutes)
    : dates(asked_dates(text, now_minutes)) {
    read_words(text);
    if (neighbours != nullptr && terms.size() <= most_with_variants) add_variants(*neighbours);
}

void query::read_words(std::string_view text) {
    auto const words = words_of(text);
    asks_when = asks_for_a_time(words);
    bool only_stop_words = true;
    for (auto const& one : words)
        only_stop_words = only_stop_words && one.stop;
    std::unordered_map<std::uint32_t, std::uint32_t> place;  // of a term, by its hash
    for (auto const& one : words) {
        if (one.stop && !only_stop_words) continue;
        auto const hash = hash_of(one.stem);
        if (!place.emplace(hash, static_cast<std::uint32_t>(terms.size())).second) continue;
        terms.push_back({shorten(one.text), {}});
        keys.push_back(hash);
    }
    std::unordered_map<std::uint32_t, bool> known;
    for (auto const& one : words) {
        // Roles are no names: an "assistant manager" is not spoken of by the assistant.
        if (one.text == "user" || one.text == "assistant") continue;
        if (!known.emplace(hash_of(one.text), true).second) continue;
        auto const at = place.find(hash_of(one.stem));
        names.push_back({shorten(one.text), at == place.end() ? no_term : at->second});
        name_hashes.push_back(hash_of(one.text));
    }
}

void query::add_variants(word_neighbours const& neighbours) {
    std::unordered_map<std::uint32_t, std::uint32_t> place;  // of a key, by its hash
    for (std::uint32_t i = 0; i < keys.size(); ++i)
        place.emplace(keys[i], i);
    for (std::size_t t = 0; t < terms.size(); ++t) {
        auto const stem = neighbours.find(keys[t]);
        if (!stem) continue;
        for (std::size_t i = 0; i < neighbours.count(*stem); ++i) {
            auto const near = neighbours.at(*stem, i);
            auto const hash = neighbours.hash(near.stem);
            auto const [at, is_new] = place.emplace(hash, static_cast<std::uint32_t>(keys.size()));
            if (is_new) {
                keys.push_back(hash);
                shown.emplace_back(neighbours.word(near.stem));
            }
            terms[t].variants.push_back({at->second, near.nearness});
        }
    }
}

}  // namespace engram::recall
