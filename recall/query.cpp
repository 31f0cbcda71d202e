#include "recall/query.hpp"

#include "recall/entry_view.hpp"
#include "recall/hash.hpp"
#include "recall/known_words.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace engram::recall {
namespace {

/// With neighbours of more terms than this nearly every word of every text would be a hit: twice the time,
/// for a query that says enough itself.
constexpr std::size_t most_with_variants = 32;

struct asked_word {
    std::string text;
    std::uint32_t stem;  // its hash
    bool stop;
};

/// A few hundred hashes at most, each with a number.
class hash_list {
public:
    void add(std::uint32_t hash, std::uint32_t number) { all_.emplace_back(hash, number); }
    /// Before find(). Of a hash that is there twice the lower number stays.
    void sort() { std::sort(all_.begin(), all_.end()); }

    static constexpr std::uint32_t none = 0xFFFFFFFF;
    [[nodiscard]] std::uint32_t find(std::uint32_t hash) const {
        auto const at = std::lower_bound(all_.begin(), all_.end(), std::pair(hash, std::uint32_t{0}));
        return at == all_.end() || at->first != hash ? none : at->second;
    }

private:
    std::vector<std::pair<std::uint32_t, std::uint32_t>> all_;
};

std::vector<asked_word> words_of(std::string_view text) {
    std::vector<asked_word> all;
    word_reader reader(text);
    for (word one{}; all.size() < most_stems && reader.next(one);) {
        if (is_contraction(one.text)) continue;
        auto const known = look_up(one.text);
        all.push_back({std::string(one.text), known.stem, known.stop});
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
    for (auto const& one : words) {
        if (one.stop && !only_stop_words) continue;
        if (std::find(keys.begin(), keys.end(), one.stem) != keys.end()) continue;
        terms.push_back({shorten(one.text), {}});
        keys.push_back(one.stem);
    }
    hash_list terms_of;
    for (std::uint32_t i = 0; i < keys.size(); ++i)
        terms_of.add(keys[i], i);
    terms_of.sort();
    static_assert(hash_list::none == no_term);
    for (auto const& one : words) {
        // Roles are no names: an "assistant manager" is not spoken of by the assistant.
        if (one.text == "user" || one.text == "assistant") continue;
        auto const name = hash_of(one.text);
        if (std::find(name_hashes.begin(), name_hashes.end(), name) != name_hashes.end()) continue;
        names.push_back({shorten(one.text), terms_of.find(one.stem)});
        name_hashes.push_back(name);
    }
}

void query::add_variants(word_neighbours const& neighbours) {
    std::vector<std::optional<std::uint16_t>> stems;
    hash_list all;
    for (std::uint32_t t = 0; t < terms.size(); ++t) {
        all.add(keys[t], t);
        stems.push_back(neighbours.find(keys[t]));
    }
    std::vector<std::pair<std::uint32_t, std::uint16_t>> near;
    for (auto const stem : stems) {
        for (std::size_t i = 0; stem && i < neighbours.count(*stem); ++i) {
            auto const one = neighbours.at(*stem, i).stem;
            near.emplace_back(neighbours.hash(one), one);
        }
    }
    std::sort(near.begin(), near.end());
    near.erase(std::unique(near.begin(), near.end()), near.end());
    auto const own = keys.size();
    for (auto const& [hash, stem] : near) {
        if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(own), hash) !=
            keys.begin() + static_cast<std::ptrdiff_t>(own))
            continue;
        all.add(hash, static_cast<std::uint32_t>(keys.size()));
        keys.push_back(hash);
        shown.push_back(neighbours.word(stem));
    }
    all.sort();
    for (std::size_t t = 0; t < terms.size(); ++t) {
        for (std::size_t i = 0; stems[t] && i < neighbours.count(*stems[t]); ++i) {
            auto const one = neighbours.at(*stems[t], i);
            terms[t].variants.push_back({all.find(neighbours.hash(one.stem)), one.nearness});
        }
    }
}

}  // namespace engram::recall
