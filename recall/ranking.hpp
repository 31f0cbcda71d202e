// The score of every text, when all have passed.
#pragma once

#include "recall/gathered.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace engram::recall {

/// Ranks what a search has seen:
///
///   score = (own + around) / greatest own     the query's terms in the text, and what its neighbours add to
///   them
///         + .3 * episode / greatest episode   the terms in the whole episode
///         + .4 if the speaker is named in the query
///         + .5 * closeness of the date
///         + .1 each: first person; not a question; a time word when the query asks for a time
///         + .5 * boost
///
/// Terms weigh as in BM25. For a term that a text does not have, a near stem counts, with less weight.
class ranking {
public:
    /// `all` must outlive this.
    explicit ranking(gathered const& all);

    [[nodiscard]] std::vector<found> best(std::size_t limit,
                                          std::function<bool(std::int64_t)> const& leave_out,
                                          std::function<double(std::int64_t)> const& boost) const;

private:
    static constexpr std::size_t most_terms = 32;
    static constexpr std::uint8_t no_place = 0xFF;

    struct chosen {
        std::uint32_t term;
        double rarity;          ///< among the texts
        double episode_rarity;  ///< among the episodes
    };
    struct stand_in {
        std::uint8_t place;  ///< among the chosen
        double weight;
    };
    /// What each chosen term is worth in one text.
    struct row {
        std::array<double, most_terms> worth;
        bool any = false;
    };
    using keys_used = std::array<std::uint16_t, most_terms>;
    struct similarities {
        std::vector<double> of_text;
        double floor;  ///< the least that is a reason to find a text
    };
    struct scored {
        double score;
        std::size_t text;
        double boost;
    };

    [[nodiscard]] bool is_everywhere(std::uint32_t term) const;
    void choose_terms();
    void link_variants();
    void balance_aside();
    void order_turns();
    void score_episodes();
    void score_words();
    void score_episode_words(std::span<std::uint32_t const> turns);
    [[nodiscard]] std::span<passage const> passages_of(std::size_t text) const;
    [[nodiscard]] std::span<hit const> hits_of(passage const& one) const;
    [[nodiscard]] double weigh(double count, double length, double average) const;
    [[nodiscard]] double weight_of(passage const& one) const;
    double fill_passage(row& into, passage const& from, keys_used* which = nullptr) const;
    double fill(row& into, std::size_t text) const;
    [[nodiscard]] double episode_score(seen_text const& one) const;
    [[nodiscard]] double date_score(seen_text const& one) const;
    [[nodiscard]] double hints(seen_text const& one) const;
    [[nodiscard]] double rest(seen_text const& one) const;
    [[nodiscard]] static bool is_left_out(seen_text const& one,
                                          std::function<bool(std::int64_t)> const& leave_out);
    [[nodiscard]] similarities compare(std::function<double(std::int64_t)> const& boost) const;
    [[nodiscard]] double greatest_own(std::function<bool(std::int64_t)> const& leave_out) const;
    [[nodiscard]] std::vector<scored> score_all(std::size_t limit,
                                                std::function<bool(std::int64_t)> const& leave_out,
                                                std::function<double(std::int64_t)> const& boost) const;
    [[nodiscard]] std::string explain(scored const& one) const;
    [[nodiscard]] std::string explain_words(passage const& one) const;
    [[nodiscard]] passage const& best_passage(std::size_t text) const;

    gathered const& all_;
    double scale_of_aside_ = 1;
    double average_;  ///< stems of a passage
    std::vector<chosen> chosen_;
    std::vector<std::uint8_t> place_of_;      ///< among the chosen, for each key that is a term's own
    std::vector<std::uint32_t> links_begin_;  ///< for each key, into links_; one more at the end
    std::vector<stand_in> links_;
    std::vector<std::uint32_t> turns_;          ///< turns with an episode, episode by episode
    std::vector<std::uint32_t> episode_begin_;  ///< into turns_; one more at the end
    std::vector<double> episodes_;              ///< score of each
    double greatest_episode_ = 0;
    std::vector<double> episode_dates_;  ///< closeness of each one's start
    std::vector<double> own_, around_;   ///< of each text
};

}  // namespace engram::recall
