// The code inside a line of Markdown. Pure.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::workers {

/// From a run of backticks to the next one of the same length. Made in time linear in the part's size, but
/// for a logarithm.
class code_spans {
public:
    code_spans(std::string_view text, std::size_t begin, std::size_t end);

    /// Behind the code that begins with the backtick at `at`, or behind its run of backticks if that begins
    /// none.
    [[nodiscard]] std::size_t skip(std::size_t at) const;

private:
    std::vector<std::pair<std::size_t, std::size_t>> ends_;  ///< of each run: where it is, behind its code
};

}  // namespace engram::workers
