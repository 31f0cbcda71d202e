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
constexpr double aside_weight = .5;
constexpr double other_voice = .5;
constexpr double elsewhere = .3;
constexpr std::size_t most_variants = 20;  // of a term, of those that the user's texts have

struct neighbour {
    int distance;
    double weight;
};
/// A question explains its answer, so the turn before counts most; the one after half as much: between people
/// it is often about the same, to an assistant often about something else.
constexpr std::array<neighbour, 4> around = {{{-1, .6}, {1, .3}, {-2, .3}, {2, .2}}};
constexpr int reach = 2;

double rarity(double texts, double with) {
    return std::log(1 + (texts - with + .5) / (with + .5));
}

}  // namespace

ranking::ranking(gathered const& all)
    : all_(all),
      average_(all.passages.empty() ? 1
                                    : std::max(1., static_cast<double>(all.length) /
                                                       static_cast<double>(all.passages.size()))),
      own_(all.texts.size()),
      around_(all.texts.size()) {
    choose_terms();
    link_variants();
    balance_aside();
    order_turns();
    score_episodes();
    score_words();
}

/// A word that nearly every text has finds nothing. Of few texts nothing can be said.
bool ranking::is_everywhere(std::uint32_t term) const {
    constexpr std::size_t few = 10;
    return all_.texts.size() >= few && all_.texts_with[term] * 10 > all_.texts.size() * 9;
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
        if ((is_name[t] && !only_names) || is_everywhere(t)) continue;
        chosen_.push_back({t, rarity(static_cast<double>(all_.texts.size()), all_.texts_with[t]), 0});
    }
    if (chosen_.size() > most_terms) {
        // The rarest that the texts have at all; only then those they have not.
        auto const rank = [this](chosen const& one) {
            return std::tuple(all_.asked.terms[one.term].aside, all_.texts_with[one.term] == 0, -one.rarity,
                              one.term);
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
            auto const least = std::min(chosen_[i].rarity,
                                        rarity(static_cast<double>(all_.texts.size()), all_.texts_with[key]));
            links.push_back({key, {static_cast<std::uint8_t>(i), least * stand_in_weight * nearness}});
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

/// What is aside counts for half of the question, however many words it has: the greatest that a text can get
/// for the one is half of the greatest that one can get for the other.
void ranking::balance_aside() {
    std::vector<bool> aside(chosen_.size());
    for (std::size_t i = 0; i < chosen_.size(); ++i)
        aside[i] = all_.asked.terms[chosen_[i].term].aside;
    if (std::find(aside.begin(), aside.end(), true) == aside.end()) return;
    double greatest_asked = 0, greatest_aside = 0;
    row one{};
    for (auto const& from : all_.passages) {
        fill_passage(one, from);
        double asked_sum = 0, aside_sum = 0;
        for (std::size_t i = 0; one.any && i < chosen_.size(); ++i)
            (aside[i] ? aside_sum : asked_sum) += one.worth[i];
        greatest_asked = std::max(greatest_asked, asked_sum);
        greatest_aside = std::max(greatest_aside, aside_sum);
    }
    if (greatest_asked == 0 || greatest_aside == 0) return;
    scale_of_aside_ = std::min(1., aside_weight * greatest_asked / greatest_aside);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
        if (aside[i]) chosen_[i].rarity *= scale_of_aside_;
    }
    for (auto& one_link : links_) {
        if (aside[one_link.place]) one_link.weight *= scale_of_aside_;
    }
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

std::span<passage const> ranking::passages_of(std::size_t text) const {
    auto const begin = all_.texts[text].passages;
    auto const end = text + 1 < all_.texts.size() ? all_.texts[text + 1].passages : all_.passages.size();
    return std::span(all_.passages).subspan(begin, end - begin);
}

std::span<hit const> ranking::hits_of(passage const& one) const {
    auto const next = static_cast<std::size_t>(&one - all_.passages.data()) + 1;
    auto const end = next < all_.passages.size() ? all_.passages[next].hits : all_.hits.size();
    return std::span(all_.hits).subspan(one.hits, end - one.hits);
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
            for (auto const& part : passages_of(turns_[at])) {
                for (auto const& one : hits_of(part)) {
                    auto const place = place_of_[one.key];
                    if (place == no_place) continue;
                    count[place] += one.count;
                    any = true;
                }
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
        chosen_[i].episode_rarity = rarity(number, episodes_with[i]) *
                                    (all_.asked.terms[chosen_[i].term].aside ? scale_of_aside_ : 1);
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

double ranking::weight_of(passage const& one) const {
    return one.of_answer == all_.asked.asks_assistant ? 1 : other_voice;
}

/// The sum of a passage's worths. `which`: the key that each comes from.
double ranking::fill_passage(row& into, passage const& from, keys_used* which) const {
    into.any = false;
    auto const hits = hits_of(from);
    if (hits.empty()) return 0;
    std::fill_n(into.worth.begin(), chosen_.size(), 0.);
    std::uint32_t own = 0;  // places whose very term the text has: no other stands in for it
    double sum = 0;
    for (auto const& one : hits) {
        auto const place = place_of_[one.key];
        if (place == no_place) continue;
        own |= std::uint32_t{1} << place;
        into.worth[place] = chosen_[place].rarity * weigh(one.count, from.length, average_);
        sum += into.worth[place];
        into.any = true;
        if (which != nullptr) (*which)[place] = one.key;
    }
    for (auto const& one : hits) {
        for (auto at = links_begin_[one.key]; at < links_begin_[one.key + 1U]; ++at) {
            auto const& [place, rare] = links_[at];
            if ((own >> place & 1) != 0) continue;
            auto const weight = rare * weigh(one.count, from.length, average_);
            if (weight <= into.worth[place]) continue;
            sum += weight - into.worth[place];
            into.worth[place] = weight;
            into.any = true;
            if (which != nullptr) (*which)[place] = one.key;
        }
    }
    return sum;
}

/// Each term's worth in a text is that in the passage where it is worth most.
double ranking::fill(row& into, std::size_t text) const {
    auto const passages = passages_of(text);
    auto best = weight_of(passages.front()) * fill_passage(into, passages.front());
    if (auto const w = weight_of(passages.front()); w != 1 && into.any) {
        for (std::size_t t = 0; t < chosen_.size(); ++t)
            into.worth[t] *= w;
    }
    row other{};
    for (auto const& one : passages.subspan(1)) {
        auto const w = weight_of(one);
        auto const sum = w * fill_passage(other, one);
        if (!other.any) continue;
        if (!into.any) std::fill_n(into.worth.begin(), chosen_.size(), 0.);
        into.any = true;
        best = std::max(best, sum);
        for (std::size_t t = 0; t < chosen_.size(); ++t)
            into.worth[t] = std::max(into.worth[t], w * other.worth[t]);
    }
    if (!into.any || passages.size() == 1) return best;
    double all = 0;
    for (std::size_t t = 0; t < chosen_.size(); ++t)
        all += into.worth[t];
    return best + elsewhere * (all - best);
}

passage const& ranking::best_passage(std::size_t text) const {
    auto const passages = passages_of(text);
    auto const* best = &passages.front();
    double greatest = -1;
    row one{};
    for (auto const& part : passages) {
        auto const sum = weight_of(part) * fill_passage(one, part);
        if (sum > greatest) {
            greatest = sum;
            best = &part;
        }
    }
    return *best;
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
