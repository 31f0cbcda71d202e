#include "word_index.hpp"

#include <algorithm>
#include <cctype>

namespace engram::store::test {
namespace {

std::string join(std::vector<std::string> const& words) {
    std::string all;
    for (auto const& one : words)
        all += (all.empty() ? "" : " ") + one;
    return all;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    bool inside = false;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        bool const letter = std::isalnum(byte) != 0 || byte >= 0x80;
        if (letter && !inside) words.emplace_back();
        if (letter) words.back() += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
        inside = letter;
    }
    return words;
}

std::string word_index::entry(std::string_view text, text_kind) const {
    return join(words_of(text));
}

std::string word_index::exchange_entry(std::span<spoken const> turns) const {
    std::vector<std::string> entries;
    for (auto const& one : turns)
        if (auto words = entry(one.text, one.kind); !words.empty()) entries.push_back(std::move(words));
    return join(entries);
}

std::string word_index::fingerprint(std::string_view text) const {
    auto words = words_of(text);
    std::ranges::sort(words);
    return join(words);
}

text_index const& words() {
    static word_index const index;
    return index;
}

std::shared_ptr<ranker> word_index::ranker_for(std::string query, base::wall_time) const {
    return std::make_shared<word_ranker>(query);
}

std::string watched_index::entry(std::string_view text, text_kind kind) const {
    if (on_entry) on_entry(text, kind);
    return word_index::entry(text, kind);
}

std::shared_ptr<ranker> watched_index::ranker_for(std::string query, base::wall_time) const {
    last_search = std::make_shared<word_ranker>(query);
    last_search->answers_fit = answers_fit;
    if (on_search) on_search(query);
    return last_search;
}

word_ranker::word_ranker(std::string_view query) {
    for (auto& word : words_of(query))
        wanted_.insert(std::move(word));
}

void word_ranker::see(indexed_item const& item) {
    seen.emplace_back(item.entry);
    double shared = 0;
    for (auto const& word : words_of(item.entry))
        shared += wanted_.contains(word) ? 1 : 0;
    scores_[item.id] = shared;
}

std::vector<ranked_item> word_ranker::best(std::size_t limit,
                                           std::function<bool(std::int64_t)> const& leave_out,
                                           std::function<double(std::int64_t)> const& similarity) const {
    std::vector<ranked_item> items;
    for (auto const& [id, shared] : scores_) {
        auto const score = shared + (similarity ? similarity(id) : 0);
        if (score > 0 && !leave_out(id)) items.push_back({id, score, "words", answers_fit});
    }
    std::ranges::sort(items, [](auto const& a, auto const& b) {
        return std::tie(a.score, a.id) > std::tie(b.score, b.id);
    });
    items.resize(std::min(items.size(), limit));
    return items;
}

}  // namespace engram::store::test
