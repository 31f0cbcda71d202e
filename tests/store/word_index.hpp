// The least that a search of texts can be: words, and how many of them are shared.
#pragma once

#include "store/text_index.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace engram::store::test {

/// Letters and digits in lower case, in their order.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

/// An entry is the words of the text. Two memories are the same if they have the same words in any order.
class word_index final : public text_index {
public:
    explicit word_index(std::uint32_t version = 1) : version_(version) {}

    [[nodiscard]] std::uint32_t version() const override { return version_; }
    [[nodiscard]] std::string entry(std::string_view text, text_kind kind) const override;
    [[nodiscard]] std::string fingerprint(std::string_view text) const override;
    [[nodiscard]] bool same(std::string_view a, std::string_view b) const override { return a == b; }

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

private:
    std::set<std::string> wanted_;
    std::map<std::int64_t, double> scores_;
};

}  // namespace engram::store::test
