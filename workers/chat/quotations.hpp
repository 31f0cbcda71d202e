// What an answer quotes: between quotation marks inside a line, and in elements of HTML. Pure. Rules in
// docs/memory-tags.md.
#pragma once

#include "workers/chat/tag_scan.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::workers {

/// Whether quotation marks that belong together stand at the end of `left` and at the start of `right`.
[[nodiscard]] bool is_between_quotation_marks(std::string_view left, std::string_view right);

/// The quotation marks of a row, read from left to right. `text` must outlive it. An apostrophe inside a word
/// and the sign for inches are none.
class quotation_marks {
public:
    static constexpr std::size_t most_pairs = 32;  ///< of marks that are known: there are 27

    quotation_marks(std::string_view text, std::size_t begin, std::size_t end)
        : text_(text), begin_(begin), end_(end) {}

    /// First of all, for each place: the mark there, if it is one, may close a quotation.
    void expect(std::size_t at);
    /// Then, in order: the mark at `at`, if it is one, opens or closes a quotation.
    void see(std::size_t at);
    /// The row goes on to `end`.
    void extend(std::size_t end) { end_ = end; }
    /// Whether a quotation is open that is closed at `at` or behind it.
    [[nodiscard]] bool is_open_beyond(std::size_t at) const;

private:
    [[nodiscard]] bool may_open(std::size_t at, std::string_view mark) const;
    [[nodiscard]] bool may_close(std::size_t at, std::string_view mark) const;

    std::string_view text_;
    std::size_t begin_, end_;
    std::array<std::size_t, most_pairs> last_{};  ///< for each pair: behind the last place that may close it
    std::vector<std::string_view> open_;          ///< opening marks without their partner
};

/// The parts of a text in elements of HTML that show or quote text: <code>, <pre>, <blockquote> and the like,
/// if they are closed. Made in linear time.
class quoting_elements {
public:
    explicit quoting_elements(marked_text const& text);

    [[nodiscard]] bool has(std::size_t at) const;

private:
    std::vector<std::pair<std::size_t, std::size_t>> parts_;  ///< in order, apart from each other
};

}  // namespace engram::workers
