#include "recall/query.hpp"

#include "recall/hash.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace engram::recall {
namespace {

/// With neighbours of more terms than this nearly every word of every text would be a hit: twice the time,
/// for a query that says enough itself.
constexpr std::size_t most_with_variants = 32;

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

query::query(std::string_view text, word_neighbours const* neighbours, std::uint32_t now_minutes) {
    asked_text const asked(text);
    asks_when = asked.asks_when;
    asks_assistant = asked.asks_assistant;
    read_words(asked.words);
    if (terms.empty()) return;
    dates = asked_dates(asked.question, now_minutes);
    if (neighbours != nullptr) add_variants(*neighbours);
}

void query::read_words(std::vector<asked_text::word> const& words) {
    // The question's first: a word that it has is the question's.
    for (bool const aside : {false, true}) {
        for (auto const& one : words) {
            if (!one.content || one.aside != aside) continue;
            if (std::find(keys.begin(), keys.end(), one.stem) != keys.end()) continue;
            terms.push_back({shorten(one.text), {}, aside});
            keys.push_back(one.stem);
        }
    }
    hash_list terms_of;
    for (std::uint32_t i = 0; i < keys.size(); ++i)
        terms_of.add(keys[i], i);
    terms_of.sort();
    static_assert(hash_list::none == no_term);
    for (auto const& one : words) {
        // Roles are no names: an "assistant manager" is not spoken of by the assistant. Nor is "I", who seems
        // to speak in "I get this error: ...".
        if (one.aside || one.text == "user" || one.text == "assistant" || one.text == "i") continue;
        auto const name = hash_of(one.text);
        if (std::find(name_hashes.begin(), name_hashes.end(), name) != name_hashes.end()) continue;
        names.push_back({shorten(one.text), terms_of.find(one.stem)});
        name_hashes.push_back(name);
    }
}

void query::add_variants(word_neighbours const& neighbours) {
    auto const asked = static_cast<std::size_t>(
        std::find_if(terms.begin(), terms.end(), [](term const& one) { return one.aside; }) - terms.begin());
    auto const varied = terms.size() <= most_with_variants ? terms.size()
                        : asked <= most_with_variants      ? asked
                                                           : 0;
    std::vector<std::optional<std::uint16_t>> stems;
    hash_list all;
    for (std::uint32_t t = 0; t < terms.size(); ++t) {
        all.add(keys[t], t);
        stems.push_back(t < varied ? neighbours.find(keys[t]) : std::nullopt);
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
