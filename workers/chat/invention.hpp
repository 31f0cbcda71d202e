// Whether a text says more than its sources do, as far as that can be seen without understanding it. Pure.
#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace engram::workers {

/// True if `text` has a number, or a name, that is in none of the sources.
///
/// - A number is digits with what joins them ("3.5", "10:30", "2026-11-23", "-5", "20%"), and must occur as a
///   whole. A word with digits in it ("B12", "5k") must occur as it is.
/// - A name is a word with a capital, or several in a row ("Ada Lovelace"), and must occur as it is in one
///   source. Only the first word of a sentence may also occur with a small letter.
/// - Where letters have no capitals nobody can tell a name by its look: there every word must occur, and in
///   Chinese, Japanese and Korean every character.
///
/// It errs on the side of "invented". Numbers in words and sources recombined it cannot see.
[[nodiscard]] bool invents(std::string_view text, std::span<std::string_view const> sources);

/// The other way round, for many texts: whether what `said` says leaves out something of them.
class retelling {
public:
    explicit retelling(std::string_view said);
    ~retelling();
    retelling(retelling const&) = delete;
    retelling& operator=(retelling const&) = delete;

    /// True if `text` has a number or a name that was not said, or if of its words in scripts without
    /// capitals (in Chinese, Japanese and Korean: characters) more than a sixth were not. The first word of a
    /// sentence counts as a name if it is in no list of everyday words, so "Rose" and "Ada", which is a word
    /// in Turkish, go unseen there.
    [[nodiscard]] bool lacks(std::string_view text) const;

private:
    struct content;
    std::unique_ptr<content const> said_;
};

}  // namespace engram::workers
