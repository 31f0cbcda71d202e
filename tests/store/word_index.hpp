// The least that a search of texts can be: words, and how many of them are shared.
#pragma once

#include "store/text_index.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace engram::store::test {

/// Letters and digits in lower case, in their order.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

/// An entry is the words of the text, that of an exchange those of its turns one behind the other. Two
/// memories are the same if they have the same words in any order.
class word_index : public text_index {
public:
    explicit word_index(std::uint32_t version = 1) : version_(version) {}

    [[nodiscard]] std::uint32_t version() const override { return version_; }
    [[nodiscard]] std::string entry(std::string_view text, text_kind kind) const override;
    [[nodiscard]] std::string exchange_entry(std::span<spoken const> turns) const override;
    [[nodiscard]] std::string fingerprint(std::string_view text) const override;
    [[nodiscard]] bool same(std::string_view a, std::string_view b) const override { return a == b; }
    [[nodiscard]] std::shared_ptr<ranker> ranker_for(std::string query, base::wall_time now) const override;

private:
    std::uint32_t version_;
};

/// The one that tests use unless they say otherwise.
[[nodiscard]] text_index const& words();

/// Scores an item by the number of words that it shares with the query, and its similarity where known.
class word_ranker final : public ranker {
public:
    explicit word_ranker(std::string_view query);

    void see(indexed_item const& item) override;
    [[nodiscard]] std::vector<ranked_item> best(
        std::size_t limit, std::function<bool(std::int64_t)> const& leave_out,
        std::function<double(std::int64_t)> const& similarity) const override;

    /// What it was shown, in that order.
    std::vector<std::string> seen;
    bool answers_fit = false;  ///< rather than messages

private:
    std::set<std::string> wanted_;
    std::map<std::int64_t, double> scores_;
};

/// Tells a test what the store does with it. The hooks run on the store's threads, and the rest may be looked
/// at when the call that used it has come back.
class watched_index final : public word_index {
public:
    [[nodiscard]] std::string entry(std::string_view text, text_kind kind) const override;
    [[nodiscard]] std::shared_ptr<ranker> ranker_for(std::string query, base::wall_time now) const override;

    std::function<void(std::string_view text, text_kind kind)> on_entry;  ///< may be empty, and may wait
    std::function<void(std::string const& query)> on_search;              ///< the same
    mutable std::shared_ptr<word_ranker> last_search;
    bool answers_fit = false;  ///< of the next searches
};

}  // namespace engram::store::test
