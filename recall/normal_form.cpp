#include "recall/normal_form.hpp"

#include "recall/code_points.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <utf8proc.h>
#include <utility>
#include <vector>

namespace engram::recall {
namespace {

using std::string_view;
using characters = std::span<std::int32_t const>;

/// Verbs of English notes, of which nobody but the user is the subject if none is named. Sorted.
constexpr string_view verbs[] = {"avoids", "can",     "did",    "dislikes", "does",  "drinks", "drives",
                                 "eats",   "enjoys",  "had",    "has",      "hates", "is",     "knows",
                                 "likes",  "lives",   "loves",  "needs",    "owns",  "plays",  "prefers",
                                 "reads",  "runs",    "speaks", "studies",  "uses",  "visits", "wants",
                                 "was",    "watches", "wears",  "will",     "works", "would",  "writes"};

/// Behind these and the verbs an "a" is an article. Sorted.
constexpr string_view before_article[] = {"and",  "as", "at", "by", "for", "from", "in",
                                          "into", "of", "on", "or", "to",  "with"};

static_assert(std::ranges::is_sorted(verbs) && std::ranges::is_sorted(before_article));

struct subject {
    string_view article, noun;
};

constexpr subject subjects[] = {{"der", "nutzer"},     {"die", "nutzerin"},  {"der", "benutzer"},
                                {"die", "benutzerin"}, {"der", "user"},      {"el", "usuario"},
                                {"la", "usuaria"},     {"o", "usuário"},     {"a", "usuária"},
                                {"o", "utilizador"},   {"a", "utilizadora"}, {"de", "gebruiker"}};
constexpr string_view elided[] = {"l'utilisateur", "l'utilisatrice", "l'utente"};

template <std::size_t N>
bool is_among(string_view const (&list)[N], string_view word) {
    return std::binary_search(std::begin(list), std::end(list), word);
}

enum class kind : std::uint8_t { small, capital, letter, digit, other };

kind kind_of(std::int32_t code) {
    switch (utf8proc_category(code)) {
        case UTF8PROC_CATEGORY_LL:
            return kind::small;
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LT:
            return kind::capital;
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ME:
            return kind::letter;
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
            return kind::digit;
        default:
            return kind::other;
    }
}

bool is_letter(std::int32_t code) {
    return kind_of(code) <= kind::letter;
}

bool is_word_character(std::int32_t code) {
    return kind_of(code) <= kind::digit;
}

bool is_full_stop(std::int32_t code) {
    // No semicolon: it is the question mark of Greek.
    static constexpr std::int32_t stops[] = {'.',   '!',    ',',    0x589,  0x6D4, 0x964,
                                             0x965, 0x1362, 0x2026, 0x3001, 0x3002};
    return std::find(std::begin(stops), std::end(stops), code) != std::end(stops);
}

/// Without blanks around it and the punctuation at its end.
characters trim(characters text) {
    while (!text.empty() && text.front() == ' ')
        text = text.subspan(1);
    auto rest = text;
    bool exclaims = false;
    while (!rest.empty() && (rest.back() == ' ' || is_full_stop(rest.back()))) {
        exclaims = exclaims || rest.back() == '!';
        rest = rest.first(rest.size() - 1);
    }
    // "hunter2!" may be all of a name or a password.
    if (!exclaims || rest.empty() || is_letter(rest.back())) return rest;
    while (text.back() == ' ')
        text = text.first(text.size() - 1);
    return text;
}

/// What a text shows by its letters.
struct writing {
    bool has_small = false, has_capital = false;
    bool turkish = false;  ///< I is the capital of ı

    explicit writing(characters text) {
        for (auto const code : text) {
            auto const is = kind_of(code);
            has_small = has_small || is == kind::small;
            has_capital = has_capital || is == kind::capital;
            turkish = turkish || code == 0x11E || code == 0x11F || code == 0x130 || code == 0x131;
        }
    }

    [[nodiscard]] std::int32_t small_of(std::int32_t code) const {
        return code == 'I' && turkish ? 0x131 : utf8proc_tolower(code);
    }
};

struct token {
    std::string text, cases;
    bool begins_word = false;
};

/// Reads one token after the other.
class tokenizer {
public:
    explicit tokenizer(characters text) : rest_(text), style_(text) {}

    std::vector<token> read() {
        std::vector<token> tokens;
        while (!rest_.empty()) {
            auto const end = std::find(rest_.begin(), rest_.end(), ' ');
            auto const size = static_cast<std::size_t>(end - rest_.begin());
            if (size > 0) tokens.push_back(fold(rest_.first(size)));
            rest_ = rest_.subspan(std::min(size + 1, rest_.size()));
        }
        return tokens;
    }

private:
    token fold(characters text) {
        token one;
        one.begins_word = is_word_character(text.front());
        auto const begin = std::find_if(text.begin(), text.end(), is_word_character);
        auto const end = std::find_if(text.rbegin(), text.rend(), is_word_character).base();
        bool const ordinary =
            begin < end &&
            std::all_of(
                begin, end, [](std::int32_t code) { return is_letter(code) || code == '\'' || code == '-'; });
        for (auto at = text.begin(); at != text.end();) {
            auto const word_end = ordinary ? std::find_if_not(at, text.end(), is_letter) : at;
            if (word_end == at) {
                append_code_point(one.text, *at++);
            } else {
                fold_word(one, {at, word_end});
                at = word_end;
            }
        }
        first_ = false;
        return one;
    }

    void fold_word(token& to, characters word) {
        auto const forms = forms_of(word);
        for (auto const code : word)
            append_code_point(to.text, forms == 0 ? code : style_.small_of(code));
        if (forms != 0) to.cases += static_cast<char>(forms);
        first_ = false;
    }

    /// In which cases the word would mean the same; 0: in no other.
    [[nodiscard]] std::uint8_t forms_of(characters word) const {
        using namespace letter_case;
        constexpr std::ptrdiff_t longest_abbreviation = 4;
        auto const count = [word](kind of) {
            return std::count_if(word.begin(), word.end(), [of](auto code) { return kind_of(code) == of; });
        };
        auto const capitals_in = count(kind::capital);
        // Case says nothing where it is all the same; a script without it has none.
        if (capitals_in + count(kind::small) == 0 || count(kind::letter) > 0) return 0;
        if (!style_.has_small) return any;
        if (capitals_in == 0) return first_ || !style_.has_capital ? small | initial : small;
        if (capitals_in == 1 && kind_of(word.front()) == kind::capital)
            return first_ ? small | initial : initial;
        if (count(kind::small) > 0) return 0;
        return capitals_in > longest_abbreviation ? small | initial : capitals;
    }

    characters rest_;
    writing style_;
    bool first_ = true;
};

class composer {
public:
    explicit composer(std::vector<token> tokens) : tokens_(std::move(tokens)), english_(begins_english()) {}

    normal_form compose() {
        normal_form form;
        for (auto i = skip_subject(); i < tokens_.size(); ++i) {
            if (english_ && is_article(i)) continue;
            if (!form.text.empty()) form.text += ' ';
            form.text += tokens_[i].text;
            form.cases += tokens_[i].cases;
        }
        return form;
    }

private:
    [[nodiscard]] string_view text(std::size_t i) const {
        return i < tokens_.size() ? string_view(tokens_[i].text) : string_view();
    }

    [[nodiscard]] bool may_be_small(std::size_t i) const {
        return tokens_[i].cases.size() == 1 && (tokens_[i].cases.front() & letter_case::small) != 0;
    }

    [[nodiscard]] bool begins_english() const {
        if (text(0) == "the") return text(1) == "user" || text(1) == "user's";
        return text(0) == "user's" || is_among(verbs, text(text(0) == "user" ? 1 : 0));
    }

    /// How many tokens of the subject are left out.
    std::size_t skip_subject() {
        if (english_) {
            std::size_t const at = text(0) == "the" ? 1 : 0;
            bool const user = text(at) == "user";
            if (!user && text(at) != "user's") return 0;
            tokens_[at].cases.assign(tokens_[at].cases.size(), char{letter_case::any});
            return user && is_among(verbs, text(at + 1)) && may_be_small(at + 1) ? at + 1 : at;
        }
        for (auto const& [article, noun] : subjects) {
            if (text(0) != article || text(1) != noun) continue;
            tokens_[1].cases.assign(1, char{letter_case::any});
            return 1;
        }
        if (std::find(std::begin(elided), std::end(elided), text(0)) != std::end(elided)) {
            tokens_[0].text.erase(0, 2);
            tokens_[0].cases.assign(1, char{letter_case::any});
        }
        return 0;
    }

    /// Whether it is one of "the", "a" and "an" that could as well be left out. REQUIRES: English.
    [[nodiscard]] bool is_article(std::size_t i) const {
        if (i + 1 == tokens_.size() || !tokens_[i + 1].begins_word || !may_be_small(i)) return false;
        auto const next = text(i + 1);
        if (next.starts_with("few") || next.starts_with("little")) return false;
        if (text(i) == "the") return true;
        if (i == 0 || (text(i) != "a" && text(i) != "an")) return false;
        return is_among(verbs, text(i - 1)) || is_among(before_article, text(i - 1));
    }

    std::vector<token> tokens_;
    bool english_;
};

}  // namespace

normal_form normal_form_of(string_view text) {
    auto const all = code_points_of(text);
    return composer(tokenizer(trim(all)).read()).compose();
}

}  // namespace engram::recall
