#include "recall/search.hpp"

#include "recall/gathered.hpp"
#include "recall/ranking.hpp"

#include <algorithm>

namespace engram::recall {
namespace {

// Minutes within an episode. Who comes back later than after two hours mostly begins with something else.
constexpr std::uint32_t longest_pause = 2 * 60;
constexpr std::uint32_t most_turns = 40;  // of an episode, an exchange taken as one
// Of 60 to 120 words about half are stop words.
constexpr std::size_t longest_passage = 50;
constexpr std::size_t expected_texts = 256;  // more are no harm, only copying

}  // namespace

gathered::gathered(std::string_view text, word_neighbours const* neighbours, std::uint32_t now_minutes)
    : asked(text, neighbours, now_minutes),
      keys(asked.keys),
      names(asked.name_hashes),
      texts_with(asked.keys.size()),
      is_speaker(asked.names.size()),
      last_hit_(asked.keys.size(), key_table::none),
      last_text_(asked.keys.size()),
      passed_(longest_passage + 1) {
    texts.reserve(expected_texts);
    passages.reserve(expected_texts);
    hits.reserve(expected_texts);
}

void gathered::see(item const& one) {
    auto const entry = entry_view::of(one.entry);
    if (!entry) return;
    auto const& first = entry->parts().front();
    if (answers_the_last(one, first))
        texts.back().answer = one.id;
    else
        begin_text(one, first);
    for (auto const& part : entry->parts())
        see_part(part);
}

/// Whether the store keeps turns apart, and this is the answer to the message before it.
bool gathered::answers_the_last(item const& one, part_view const& first) const {
    if (one.session == 0 || one.session != last_session_ || first.by() != voice::assistant) return false;
    return texts.back().by() == voice::user && !texts.back().answered;
}

void gathered::begin_text(item const& one, part_view const& first) {
    texts.push_back({one.id, one.id, episode_of(one, first), one.minutes,
                     static_cast<std::uint32_t>(passages.size()), see_speaker(first), first.flags, false});
    last_session_ = one.session;
}

/// A text of several passages is cut into equal ones.
void gathered::see_part(part_view const& part) {
    auto& text = texts.back();
    if (part.by() != text.by()) text.answered = true;
    length += part.size();
    if (text.episode != no_episode && !text.is_memory())
        episodes[text.episode].length += static_cast<std::uint32_t>(part.size());
    auto const count = std::max<std::size_t>(1, (part.size() + longest_passage - 1) / longest_passage);
    for (std::size_t i = 0; i < count; ++i)
        see_passage(part, part.size() * i / count, part.size() * (i + 1) / count);
}

void gathered::see_passage(part_view const& part, std::size_t begin, std::size_t end) {
    auto const first = hits.size();
    passages.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint16_t>(end - begin),
                        part.by() == voice::assistant});
    // Without a branch that nobody could predict: the filter only decides whether a hash stays.
    std::size_t left = 0;
    for (std::size_t i = begin; i < end; ++i) {
        auto const hash = part[i];
        passed_[left] = hash;
        left += keys.may_have(hash) ? 1 : 0;
    }
    for (std::size_t i = 0; i < left; ++i) {
        auto const key = keys.find(passed_[i]);
        if (key == key_table::none) continue;
        auto& last = last_hit_[key];
        if (last != key_table::none && last >= first) {
            ++hits[last].count;
            continue;
        }
        last = static_cast<std::uint32_t>(hits.size());
        hits.push_back({static_cast<std::uint16_t>(key), 1});
        if (last_text_[key] == texts.size()) continue;
        last_text_[key] = static_cast<std::uint32_t>(texts.size());
        ++texts_with[key];
    }
}

std::uint16_t gathered::see_speaker(part_view const& part) {
    if ((part.flags & entry_flags::speaker) == 0) return no_name;
    auto const name = names.find(part.speaker);
    if (name == key_table::none) return no_name;
    is_speaker[name] = true;
    return static_cast<std::uint16_t>(name);
}

std::uint32_t gathered::episode_of(item const& one, part_view const& part) {
    if (one.session == 0) return no_episode;
    auto& current = sessions_[one.session];
    if (part.by() == voice::memory) return current;
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
    if (empty()) return {};
    return ranking(*gathered_).best(limit, leave_out, boost);
}

}  // namespace engram::recall
