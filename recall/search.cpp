#include "recall/search.hpp"

#include "recall/gathered.hpp"
#include "recall/ranking.hpp"

#include <algorithm>

namespace engram::recall {
namespace {

constexpr std::uint32_t longest_pause = 6 * 60;  // minutes within an episode
constexpr std::uint32_t most_turns = 40;         // of an episode
constexpr std::size_t expected_texts = 256;      // more are no harm, only copying

}  // namespace

gathered::gathered(std::string_view text, word_neighbours const* neighbours, std::uint32_t now_minutes)
    : asked(text, neighbours, now_minutes),
      keys(asked.keys),
      names(asked.name_hashes),
      texts_with(asked.keys.size()),
      is_speaker(asked.names.size()),
      last_hit_(asked.keys.size(), key_table::none),
      passed_(most_stems + 1) {
    texts.reserve(expected_texts);
    hits.reserve(expected_texts);
}

void gathered::see(item const& one) {
    auto const entry = entry_view::of(one.entry);
    if (!entry) return;
    texts.push_back({one.id, episode_of(one, *entry), one.minutes, static_cast<std::uint32_t>(hits.size()),
                     static_cast<std::uint32_t>(entry->size()), entry->flags, see_speaker(*entry)});
    length += entry->size();
    see_words(*entry);
}

void gathered::see_words(entry_view const& entry) {
    auto const begin = hits.size();
    auto const size = entry.size();
    // Without a branch that nobody could predict: the filter only decides whether a hash stays.
    std::size_t left = 0;
    for (std::size_t i = 0; i < size; ++i) {
        auto const hash = entry[i];
        passed_[left] = hash;
        left += keys.may_have(hash) ? 1 : 0;
    }
    for (std::size_t i = 0; i < left; ++i) {
        auto const key = keys.find(passed_[i]);
        if (key == key_table::none) continue;
        auto& last = last_hit_[key];
        if (last != key_table::none && last >= begin) {
            ++hits[last].count;
            continue;
        }
        last = static_cast<std::uint32_t>(hits.size());
        hits.push_back({static_cast<std::uint16_t>(key), 1});
        ++texts_with[key];
    }
}

std::uint32_t gathered::see_speaker(entry_view const& entry) {
    if ((entry.flags & entry_flags::speaker) == 0) return no_name;
    auto const name = names.find(entry.speaker);
    if (name == key_table::none) return no_name;
    is_speaker[name] = true;
    return name;
}

std::uint32_t gathered::episode_of(item const& one, entry_view const& entry) {
    if (one.session == 0) return no_episode;
    auto& current = sessions_[one.session];
    if (entry.by() == voice::memory) return current;
    bool fresh = current == no_episode;
    if (!fresh) {
        auto const& running = episodes[current];
        bool const paused = one.minutes != 0 && running.latest != 0 && one.minutes > running.latest &&
                            one.minutes - running.latest > longest_pause;
        fresh = paused || running.turns == most_turns;
    }
    if (fresh) {
        current = static_cast<std::uint32_t>(episodes.size());
        episodes.push_back({one.minutes, 0, 0, 0});
    }
    auto& running = episodes[current];
    if (one.minutes != 0) running.latest = one.minutes;
    ++running.turns;
    running.length += static_cast<std::uint32_t>(entry.size());
    return current;
}

search::search(std::string_view query, word_neighbours const* neighbours, std::uint32_t now_minutes)
    : gathered_(std::make_unique<gathered>(query, neighbours, now_minutes)) {}

search::~search() = default;
search::search(search&&) noexcept = default;
search& search::operator=(search&&) noexcept = default;

bool search::empty() const {
    return gathered_->asked.terms.empty() && gathered_->asked.dates.empty();
}

void search::see(item const& one) {
    gathered_->see(one);
}

std::vector<found> search::best(std::size_t limit, std::function<bool(std::int64_t)> const& leave_out,
                                std::function<double(std::int64_t)> const& boost) const {
    return ranking(*gathered_).best(limit, leave_out, boost);
}

}  // namespace engram::recall
