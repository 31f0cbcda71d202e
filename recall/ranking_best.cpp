#include "recall/ranking.hpp"

#include <algorithm>
#include <cmath>

namespace engram::recall {
namespace {

// Measured together with those in ranking.cpp.
// An episode has all that was said in it: what it is about tells less than what stands beside a text.
constexpr double episode_weight = .3;
constexpr double name_weight = .4, date_weight = .5, hint_weight = .1, boost_weight = .5;

// Where few texts have a vector, and as a model of embeddings calls what is alike.
constexpr double few_vectors = 8, likeness_among_few = .3;
// In a normal distribution 7 texts of 100 stand out so.
constexpr double deviations = 1.5;

}  // namespace

double ranking::episode_score(seen_text const& one) const {
    return one.episode == no_episode ? 0 : episodes_[one.episode] / greatest_episode_;
}

/// A turn is dated by the start of its episode.
double ranking::date_score(seen_text const& one) const {
    if (all_.asked.dates.empty()) return 0;
    bool const in_episode =
        !one.is_memory() && one.episode != no_episode && all_.episodes[one.episode].started != 0;
    return in_episode ? episode_dates_[one.episode] : closeness(all_.asked.dates, one.minutes);
}

double ranking::hints(seen_text const& one) const {
    double sum = 0;
    if ((one.flags & entry_flags::first_person) != 0) sum += hint_weight;
    if ((one.flags & entry_flags::question) != 0) sum -= hint_weight;
    if (all_.asked.asks_when && (one.flags & entry_flags::time_word) != 0) sum += hint_weight;
    return sum;
}

double ranking::rest(seen_text const& one) const {
    return episode_weight * episode_score(one) + (one.name != no_name ? name_weight : 0) +
           date_weight * date_score(one);
}

/// Both of its turns, if the store keeps them apart.
bool ranking::is_left_out(seen_text const& one, std::function<bool(std::int64_t)> const& leave_out) {
    return leave_out && leave_out(one.id) && (one.answer == one.id || leave_out(one.answer));
}

/// How similar the texts are, and from where on that is a reason to find one: some models call any two texts
/// similar, so what counts is what stands out among the user's own.
ranking::similarities ranking::compare(std::function<double(std::int64_t)> const& boost) const {
    similarities known{{}, likeness_among_few};
    if (!boost) return known;
    double sum = 0, squares = 0, number = 0;
    for (auto const& one : all_.texts) {
        double value = boost(one.id);
        if (one.answer != one.id) value = std::max(value, boost(one.answer));
        value = std::clamp(value, 0., 1.);
        known.of_text.push_back(value);
        if (value == 0) continue;  // it has no vector, or is the contrary of similar
        sum += value;
        squares += value * value;
        ++number;
    }
    if (number < few_vectors) return known;
    auto const mean = sum / number;
    known.floor = mean + deviations * std::sqrt(std::max(0., squares / number - mean * mean));
    return known;
}

/// Of the texts that may be found; 1 if none has any of the words.
double ranking::greatest_own(std::function<bool(std::int64_t)> const& leave_out) const {
    double greatest = 0;
    for (std::size_t i = 0; i < own_.size(); ++i) {
        if (own_[i] > greatest && !is_left_out(all_.texts[i], leave_out)) greatest = own_[i];
    }
    return greatest > 0 ? greatest : 1;
}

std::vector<ranking::scored> ranking::score_all(std::size_t limit,
                                                std::function<bool(std::int64_t)> const& leave_out,
                                                std::function<double(std::int64_t)> const& boost) const {
    auto const greatest = greatest_own(leave_out);
    auto const similar = compare(boost);
    // Of the same score the newer is the better.
    auto const better = [](scored const& one, scored const& other) {
        return one.score != other.score ? one.score > other.score : one.text > other.text;
    };
    std::vector<scored> best;  // a heap, the worst on top
    for (std::size_t i = 0; limit > 0 && i < all_.texts.size(); ++i) {
        auto const& one = all_.texts[i];
        double const extra = boost ? similar.of_text[i] : 0;
        double const found = (own_[i] + around_[i]) / greatest + rest(one);
        // Hints alone are no reason to find a text, nor is a likeness that most others have too.
        if (!(found > 0) && !(extra > 0 && extra >= similar.floor)) continue;
        scored const next{found + boost_weight * extra + hints(one), i, extra};
        if (!(next.score > 0) || (best.size() == limit && !better(next, best.front()))) continue;
        if (is_left_out(one, leave_out)) continue;
        if (best.size() == limit) {
            std::pop_heap(best.begin(), best.end(), better);
            best.pop_back();
        }
        best.push_back(next);
        std::push_heap(best.begin(), best.end(), better);
    }
    std::sort_heap(best.begin(), best.end(), better);
    return best;
}

std::vector<found> ranking::best(std::size_t limit, std::function<bool(std::int64_t)> const& leave_out,
                                 std::function<double(std::int64_t)> const& boost) const {
    std::vector<found> best;
    for (auto const& one : score_all(limit, leave_out, boost)) {
        auto const& text = all_.texts[one.text];
        bool answer = best_passage(one.text).of_answer;
        if (text.answer != text.id && leave_out && leave_out(answer ? text.answer : text.id))
            answer = !answer;
        best.push_back(
            {answer ? text.answer : text.id, one.score, explain(one), answer ? voice::assistant : text.by()});
    }
    return best;
}

std::string ranking::explain_words(passage const& from) const {
    row one{};
    keys_used which{};
    fill_passage(one, from, &which);
    std::string words;
    for (std::size_t i = 0; one.any && i < chosen_.size(); ++i) {
        if (one.worth[i] == 0) continue;
        words += (words.empty() ? "words: " : ", ") + all_.asked.terms[chosen_[i].term].shown;
        if (which[i] == chosen_[i].term) continue;
        // A near stem may be another term's own.
        auto const terms = all_.asked.terms.size();
        words += " ~ ";
        if (which[i] < terms)
            words += all_.asked.terms[which[i]].shown;
        else
            words += all_.asked.shown[which[i] - terms];
    }
    return words;
}

std::string ranking::explain(scored const& one) const {
    auto const& text = all_.texts[one.text];
    std::string why = explain_words(best_passage(one.text));
    auto const add = [&why](bool holds, std::string const& reason) {
        if (holds) why += (why.empty() ? "" : "; ") + reason;
    };
    add(around_[one.text] > 0, "neighbours");
    add(episode_score(text) > 0, "session");
    add(text.name != no_name, "name: " + (text.name != no_name ? all_.asked.names[text.name].shown : ""));
    add(date_score(text) > 0, "date");
    add(one.boost > 0, "embedding");
    return why;
}

}  // namespace engram::recall
