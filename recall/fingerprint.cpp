#include "recall/fingerprint.hpp"

#include "recall/hash.hpp"
#include "recall/likeness.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <algorithm>
#include <iterator>
#include <utf8proc.h>
#include <utility>

namespace engram::recall {
namespace {

using std::string_view;

constexpr char version = 1;
constexpr std::size_t bytes_a_mark = 9;
constexpr std::size_t most_marks = 2'000;  // longer memories are the same only if all of them is

/// Words that say nothing of their own.
constexpr string_view fillers[] = {"actually", "also",   "an",   "and", "basically", "currently", "do",
                                   "does",     "indeed", "just", "my",  "now",       "quite",     "really",
                                   "s",        "simply", "the",  "too", "truly",     "very"};

/// Words that turn what is said, or limit it: one more of these is another statement.
constexpr string_view turning[] = {
    "against",   "all",      "almost",    "anti",     "any",         "anymore",   "avoid",    "avoids",
    "barely",    "canceled", "cancelled", "consider", "considering", "considers", "dead",     "died",
    "divorced",  "double",   "ended",     "every",    "except",      "failed",    "fake",     "false",
    "former",    "formerly", "half",      "hardly",   "hope",        "hopes",     "lack",     "lacks",
    "late",      "least",    "left",      "less",     "longer",      "lost",      "many",     "maybe",
    "might",     "nearly",   "neither",   "never",    "nobody",      "non",       "none",     "nothing",
    "past",      "perhaps",  "plan",      "planning", "plans",       "possibly",  "previous", "previously",
    "probably",  "quit",     "rarely",    "rather",   "refused",     "refuses",   "retired",  "seldom",
    "separated", "some",     "sometimes", "stopped",  "twice",       "unless",    "until",    "used",
    "want",      "wants",    "wishes",    "without",  "would",       "wrong"};

/// Verbs that memories begin with; capitals there are no names.
constexpr string_view first_verbs[] = {"dislikes", "drinks", "drives",  "eats",    "enjoys", "hates",
                                       "is",       "knows",  "lives",   "likes",   "loves",  "needs",
                                       "owns",     "plays",  "prefers", "reads",   "runs",   "speaks",
                                       "studies",  "uses",   "visits",  "watches", "works",  "writes"};

constexpr string_view negated[] = {"arent",  "cant", "couldnt",  "didnt", "doesnt", "dont", "hadnt",  "hasnt",
                                   "havent", "isnt", "shouldnt", "wasnt", "werent", "wont", "wouldnt"};

template <std::size_t N>
bool is_among(string_view const (&list)[N], string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_lower_ascii(string_view word) {
    return std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string singular_of(string_view word) {
    std::string one(word);
    if (word.size() <= 3 || !is_lower_ascii(word) || !word.ends_with('s')) return one;
    if (word.ends_with("ss") || word.ends_with("us") || word.ends_with("is")) return one;
    if (word.ends_with("ies") && word.size() > 4) return one.replace(one.size() - 3, 3, "y");
    for (string_view const ending : {"sses", "xes", "zes", "ches", "shes"}) {
        if (word.ends_with(ending)) return one.substr(0, one.size() - 2);
    }
    return one.substr(0, one.size() - 1);
}

/// What stands between two words.
struct gap {
    bool ends_clause = false;
    bool lists = false;       ///< a comma or the like
    bool apostrophe = false;  ///< nothing but an apostrophe
};

class marker {
public:
    explicit marker(string_view text) : text_(text) {}

    std::vector<mark> read() {
        word_reader words(text_, marks::keep);
        for (word one{}; words.next(one);) {
            auto const between = one.begin >= end_ && one.begin != begin_ ? read_gap(one.begin) : gap{};
            clause_start_ = clause_start_ || between.ends_clause;
            if (between.lists) note_list();
            begin_ = one.begin;
            end_ = one.end;
            add(one.text, between.apostrophe);
        }
        read_gap(text_.size());
        if (marks_.size() > most_marks) return digest();
        return std::move(marks_);
    }

private:
    /// The words on both sides of a comma or an "and" are items of a list: each matters.
    void note_list() {
        if (!marks_.empty()) marks_.back().is &= static_cast<std::uint8_t>(~mark::plain);
        listed_ = true;
    }

    gap read_gap(std::size_t until) {
        auto const bytes = text_.substr(end_, until - end_);
        gap is{.ends_clause = end_ == 0, .apostrophe = bytes == "'" || bytes == "\xE2\x80\x99"};
        bool const in_number = bytes.size() == 1 && end_ > 0 && is_digit(text_[end_ - 1]) &&
                               until < text_.size() && is_digit(text_[until]);
        for (std::size_t at = 0; at < bytes.size();) {
            utf8proc_int32_t code = 0;
            auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(bytes.data() + at),
                                               static_cast<utf8proc_ssize_t>(bytes.size() - at), &code);
            auto const character = bytes.substr(at, size <= 0 ? 1 : static_cast<std::size_t>(size));
            at += character.size();
            if (string_view(".!?;:\n").find(character) != string_view::npos) is.ends_clause = !in_number;
            if (character == "," || character == "&" || character == "/" || character == ";") is.lists = true;
            bool const sign = character == "-" && at == bytes.size() && until < text_.size() &&
                              is_digit(text_[until]) && (bytes.size() > 1 || end_ == 0);
            if (size <= 0 || in_number || sign || is_symbol(character, code)) add_symbol(character);
        }
        return is;
    }

    static bool is_symbol(string_view character, std::int32_t code) {
        if (code < 0x80) return string_view("+#%$@=<>^~?").find(character) != string_view::npos;
        auto const category = utf8proc_category(code);
        return category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO;
    }

    void add_symbol(string_view character) {
        auto const hash = hash_of(character);
        marks_.push_back({hash, hash, 0});
    }

    void add(string_view word, bool after_apostrophe) {
        bool const first = std::exchange(clause_start_, false);
        bool const capital = text_[begin_] >= 'A' && text_[begin_] <= 'Z';
        auto const before = std::exchange(before_, std::string(word));
        if (after_apostrophe && word == "t" && before.ends_with('n')) return negate(before);
        if (after_apostrophe && word == "ll") return add_word("will", false);
        if (after_apostrophe && word == "ve") return add_word("have", false);
        if (after_apostrophe && word == "d") return add_word("would", false);
        if (after_apostrophe && (word == "m" || word == "re")) return add_word("is", false);
        if (is_among(negated, word)) {
            auto const base = word.substr(0, word.size() - 1);
            add_word(base, false);
            return negate(base);
        }
        if (word == "cannot") {
            add_word("can", false);
            return add_word("not", false);
        }
        if (word == "and" || word == "or") note_list();
        if (is_among(fillers, word)) return;
        // "vitamin A" and "type I" keep theirs; so does "user interface".
        if ((word == "a" && (!capital || first)) || (word == "i" && first)) return;
        if (word == "user" && (first || before == "the")) return;
        add_word(word, capital && !(first && is_among(first_verbs, word)));
    }

    /// The word before was added as "doesn", "can" or "won".
    void negate(string_view before) {
        if (!marks_.empty()) marks_.pop_back();
        if (before == "won") {
            add_word("will", false);
        } else {
            auto const base = before == "can" ? before : before.substr(0, before.size() - 1);
            if (!is_among(fillers, base)) add_word(base, false);
        }
        add_word("not", false);
    }

    void add_word(string_view word, bool capital) {
        bool const listed = std::exchange(listed_, false);
        std::string text(word == "has" ? string_view("have") : word);
        if (word.size() > 1 && !is_digit(word.front()) && number_of(word) >= 0 && word != "an") {
            text = std::to_string(number_of(word));
        }
        std::uint8_t is = is_stop_word(word) ? 0 : mark::content;
        if (word == "is" || word == "are" || word == "am") is = mark::copula;
        if (capital) is |= mark::name;
        bool const plain = is == mark::content && !listed && word.size() >= 3 && is_lower_ascii(text) &&
                           !is_among(turning, word) && month_number(word) == 0 && weekday_number(word) == 0;
        if (plain) is |= mark::plain;
        marks_.push_back({hash_of(text), hash_of(singular_of(text)), is});
    }

    [[nodiscard]] std::vector<mark> digest() const {
        std::string exact;
        for (auto const& one : marks_)
            append_u32(exact, one.exact);
        auto const half = exact.size() / 2;
        std::vector<mark> whole;
        for (auto const part :
             {string_view(exact), string_view(exact).substr(0, half), string_view(exact).substr(half)}) {
            whole.push_back({hash_of(part), hash_of(part), mark::name});
        }
        return whole;
    }

    string_view text_;
    std::vector<mark> marks_;
    std::size_t begin_ = string_view::npos, end_ = 0;  ///< of the word before
    std::string before_;
    bool clause_start_ = true, listed_ = false;
};

}  // namespace

std::string to_bytes(std::vector<mark> const& marks) {
    std::string bytes(1, version);
    for (auto const& one : marks) {
        append_u32(bytes, one.exact);
        append_u32(bytes, one.singular);
        bytes += static_cast<char>(one.is);
    }
    return bytes;
}

std::optional<std::vector<mark>> marks_of(std::string_view bytes) {
    if (bytes.empty() || bytes.front() != version || (bytes.size() - 1) % bytes_a_mark != 0) return {};
    std::vector<mark> marks;
    for (std::size_t at = 1; at < bytes.size(); at += bytes_a_mark) {
        auto const is = static_cast<std::uint8_t>(bytes[at + 8]);
        if ((is & ~mark::all) != 0) return {};
        marks.push_back({read_u32(bytes.data() + at), read_u32(bytes.data() + at + 4), is});
    }
    return marks;
}

std::string make_fingerprint(std::string_view text) {
    return to_bytes(marker(text).read());
}

}  // namespace engram::recall
