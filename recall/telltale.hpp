// What gives a text away: numbers, names and rare words of it, and the sentences of other texts that carry
// them.
#pragma once

#include "base/kinship.hpp"
#include "recall/tokens.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engram::recall {

using base::kinship;

/// Some texts whose traces are looked for. Any language.
///
/// A number has at least three digits, of any script, however they are grouped; a year of this century is an
/// ordinary word. A name has a capital inside of its sentence (in German text every noun has one: there it
/// has to be rare, too). A rare word is in no list of everyday words. A word also counts with another ending.
/// Of scripts without blanks the text is taken apart by the list of everyday words; what is left is rare.
class telltale {
public:
    /// `now`: what took the text's place; empty: nothing did. A sentence that has something of `now` which
    /// the text has not is a correction and stays, and (but for `told`) one goes only if it has something of
    /// the text which `now` has not.
    void add(std::string_view text, std::string_view now);
    /// A text that is not to be hidden: what it has, too, gives nothing away by itself.
    void hold(std::string_view text);

    /// Whether there is anything to look for.
    [[nodiscard]] bool empty() const { return keys_.empty() && numbers_.empty(); }

    // A sentence tells a text if it has, of the `n` words in that which count (no fillers) `k` of them:
    //   elsewhere  a number, or k >= 2 and more than half, with a rare word or a name, or three, or all
    //   repeated   a number or a rare word, or k >= 2 and more than half
    //   made       a number, a rare word or a name, or k >= 2 and at least half
    //   told       the same, or at least half

    /// `text` without the sentences that tell one of the texts; none if it has no such sentence. `of` says
    /// for the number of a text, in the order of add(), what this text has to do with it; it is only asked
    /// about texts of which there is a trace.
    [[nodiscard]] std::optional<std::string> cut(std::string_view text,
                                                 std::function<kinship(std::size_t)> const& of) const;

private:
    struct mark {
        token_kind kind;
        recall::script script;
        std::u32string text;
        bool number = false, rare = false, name = false, capital = false;
        bool in_old = false, in_new = false;
        bool held = false;  ///< in a text that stays
    };
    struct traced {
        std::vector<mark> marks;
        bool has_successor = false;
    };
    struct place {
        std::uint32_t text, mark;
    };
    using found = std::unordered_map<std::uint32_t, std::uint64_t>;  // text -> its marks

    static void append_marks(token const& one, bool german, std::vector<mark>& marks);
    [[nodiscard]] static std::vector<mark> marks_of(std::string_view text);
    void index(std::uint32_t text);
    void look_for(token const& one, found& into) const;
    void look_at(place where, token const& one, std::u32string_view run, found& into) const;
    [[nodiscard]] bool tells(traced const& one, std::uint64_t marks, kinship how) const;

    std::vector<traced> texts_;
    std::unordered_map<std::uint32_t, std::vector<place>> keys_;  // by the first letters of a mark
    std::vector<place> numbers_;
};

}  // namespace engram::recall
