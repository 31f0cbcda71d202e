#include "recall/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace engram::recall {
namespace {

// Measured on long conversations with questions whose answers are known. They work together: change none
// alone.
constexpr double k1 = 1.2, b = .75;
constexpr double stand_in_weight = .75;
constexpr std::size_t most_variants = 20;  // of a term, of those that the user's texts have

struct neighbour {
    int distance;
    double weight;
};
/// A question explains its answer, so the turn before counts most.
constexpr std::array<neighbour, 4> around = {{{-1, .6}, {1, .4}, {-2, .3}, {2, .2}}};
constexpr int reach = 2;

double rarity(double texts, double with) {
    return std::log(1 + (texts - with + .5) / (with + .5));
}

}  // namespace

ranking::ranking(gathered const& all) : all_(all), own_(all.texts.size()), around_(all.texts.size()) {
    choose_terms();
    link_variants();
    order_turns();
    score_episodes();
    score_words();
}

void ranking::choose_terms() {
    auto const& asked = all_.asked;
    std::vector<bool> is_name(asked.terms.size());
    for (std::size_t i = 0; i < asked.names.size(); ++i) {
        if (all_.is_speaker[i] && asked.names[i].term != query::no_term) is_name[asked.names[i].term] = true;
    }
    // A name asked for is no word to look for, unless it is all there is.
    bool const only_names = std::find(is_name.begin(), is_name.end(), false) == is_name.end();
    for (std::uint32_t t = 0; t < asked.terms.size(); ++t) {
        if (is_name[t] && !only_names) continue;
        chosen_.push_back({t, rarity(static_cast<double>(all_.texts.size()), all_.texts_with[t]), 0});
    }
    if (chosen_.size() > most_terms) {
        // The rarest that the texts have at all; only then those they have not.
        auto const rank = [this](chosen const& one) {
            return std::tuple(all_.texts_with[one.term] == 0, -one.rarity, one.term);
        };
        std::sort(chosen_.begin(), chosen_.end(),
                  [&rank](auto const& one, auto const& other) { return rank(one) < rank(other); });
        chosen_.resize(most_terms);
        std::sort(chosen_.begin(), chosen_.end(),
                  [](auto const& one, auto const& other) { return one.term < other.term; });
    }
    place_of_.assign(all_.asked.keys.size(), no_place);
    for (std::size_t i = 0; i < chosen_.size(); ++i)
        place_of_[chosen_[i].term] = static_cast<std::uint8_t>(i);
}

void ranking::link_variants() {
    struct link {
        std::uint32_t key;
        stand_in to;
    };
    std::vector<link> links;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
        std::size_t taken = 0;
        for (auto const& [key, nearness] : all_.asked.terms[chosen_[i].term].variants) {
            if (all_.texts_with[key] == 0) continue;
            links.push_back(
                {key, {static_cast<std::uint8_t>(i), chosen_[i].rarity * stand_in_weight * nearness}});
            if (++taken == most_variants) break;
        }
    }
    std::sort(links.begin(), links.end(), [](auto const& one, auto const& other) {
        return std::tie(one.key, one.to.place) < std::tie(other.key, other.to.place);
    });
    links_begin_.assign(all_.asked.keys.size() + 1, 0);
    for (auto const& one : links) {
        ++links_begin_[one.key + 1];
        links_.push_back(one.to);
    }
    std::partial_sum(links_begin_.begin(), links_begin_.end(), links_begin_.begin());
}

void ranking::order_turns() {
    episode_begin_.assign(all_.episodes.size() + 1, 0);
    auto const is_turn = [](seen_text const& one) { return one.episode != no_episode && !one.is_memory(); };
    for (auto const& one : all_.texts) {
        if (is_turn(one)) ++episode_begin_[one.episode + 1];
    }
    std::partial_sum(episode_begin_.begin(), episode_begin_.end(), episode_begin_.begin());
    turns_.resize(episode_begin_.back());
    auto next = episode_begin_;
    for (std::uint32_t i = 0; i < all_.texts.size(); ++i) {
        if (is_turn(all_.texts[i])) turns_[next[all_.texts[i].episode]++] = i;
    }
}

std::span<hit const> ranking::hits_of(std::size_t text) const {
    auto const begin = all_.texts[text].hits;
    auto const end = text + 1 < all_.texts.size() ? all_.texts[text + 1].hits : all_.hits.size();
    return std::span(all_.hits).subspan(begin, end - begin);
}

double ranking::weigh(double count, double length, double average) const {
    return count * (k1 + 1) / (count + k1 * (1 - b + b * length / average));
}

void ranking::score_episodes() {
    struct has {
        std::uint32_t episode;
        std::uint8_t place;
        std::uint32_t count;
    };
    std::vector<has> all;
    std::array<std::uint32_t, most_terms> episodes_with{};
    double length = 0;
    for (std::uint32_t e = 0; e < all_.episodes.size(); ++e) {
        length += all_.episodes[e].length;
        std::array<std::uint32_t, most_terms> count{};
        bool any = false;
        for (auto at = episode_begin_[e]; at < episode_begin_[e + 1]; ++at) {
            for (auto const& one : hits_of(turns_[at])) {
                auto const place = place_of_[one.key];
                if (place == no_place) continue;
                count[place] += one.count;
                any = true;
            }
        }
        for (std::uint8_t place = 0; any && place < chosen_.size(); ++place) {
            if (count[place] == 0) continue;
            ++episodes_with[place];
            all.push_back({e, place, count[place]});
        }
    }
    auto const number = static_cast<double>(all_.episodes.size());
    for (std::size_t i = 0; i < chosen_.size(); ++i)
        chosen_[i].episode_rarity = rarity(number, episodes_with[i]);
    episodes_.assign(all_.episodes.size(), 0);
    for (auto const& one : all) {
        episodes_[one.episode] += chosen_[one.place].episode_rarity *
                                  weigh(one.count, all_.episodes[one.episode].length, length / number);
    }
    for (double const score : episodes_)
        greatest_episode_ = std::max(greatest_episode_, score);
    if (greatest_episode_ == 0) greatest_episode_ = 1;
    for (auto const& one : all_.episodes)
        episode_dates_.push_back(closeness(all_.asked.dates, one.started));
}

/// The sum of a text's worths. `which`: the key that each comes from.
double ranking::fill(row& into, std::size_t text, std::array<std::uint16_t, most_terms>* which) const {
    into.any = false;
    auto const hits = hits_of(text);
    if (hits.empty()) return 0;
    std::fill_n(into.worth.begin(), chosen_.size(), 0.);
    auto const average = static_cast<double>(all_.length) / static_cast<double>(all_.texts.size());
    std::uint32_t own = 0;  // places whose very term the text has: no other stands in for it
    double sum = 0;
    for (auto const& one : hits) {
        auto const place = place_of_[one.key];
        if (place == no_place) continue;
        own |= std::uint32_t{1} << place;
        into.worth[place] = chosen_[place].rarity * weigh(one.count, all_.texts[text].length, average);
        sum += into.worth[place];
        into.any = true;
        if (which != nullptr) (*which)[place] = one.key;
    }
    for (auto const& one : hits) {
        for (auto at = links_begin_[one.key]; at < links_begin_[one.key + 1U]; ++at) {
            auto const& [place, weight] = links_[at];
            if ((own >> place & 1) != 0 || weight <= into.worth[place]) continue;
            sum += weight - into.worth[place];
            into.worth[place] = weight;
            into.any = true;
            if (which != nullptr) (*which)[place] = one.key;
        }
    }
    return sum;
}

void ranking::score_words() {
    for (std::size_t e = 0; e < all_.episodes.size(); ++e) {
        score_episode_words(
            std::span(turns_).subspan(episode_begin_[e], episode_begin_[e + 1] - episode_begin_[e]));
    }
    row one{};
    for (std::size_t i = 0; i < all_.texts.size(); ++i) {
        if (all_.texts[i].is_memory() || all_.texts[i].episode == no_episode) own_[i] = fill(one, i);
    }
}

void ranking::score_episode_words(std::span<std::uint32_t const> turns) {
    std::array<row, 2 * reach + 1> window{};  // a turn's row is at its place modulo the size
    auto const size = static_cast<int>(turns.size());
    auto const row_at = [&](int i) -> row& { return window[static_cast<std::size_t>(i) % window.size()]; };
    for (int i = -reach; i < size; ++i) {
        if (int const ahead = i + reach; ahead < size) {
            auto const text = turns[static_cast<std::size_t>(ahead)];
            own_[text] = fill(row_at(ahead), text);
        }
        if (i < 0) continue;
        std::array<double, most_terms> lent{};
        bool any = false;
        for (auto const& [distance, weight] : around) {
            int const other = i + distance;
            if (other < 0 || other >= size || !row_at(other).any) continue;
            any = true;
            auto const& worth = row_at(other).worth;
            for (std::size_t t = 0; t < chosen_.size(); ++t)
                lent[t] = std::max(lent[t], weight * worth[t]);
        }
        auto const& mine = row_at(i);
        double& sum = around_[turns[static_cast<std::size_t>(i)]];
        for (std::size_t t = 0; any && t < chosen_.size(); ++t) {
            sum += std::max(0., lent[t] - (mine.any ? mine.worth[t] : 0));
        }
    }
}

}  // namespace engram::recall
