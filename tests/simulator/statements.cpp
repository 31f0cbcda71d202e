#include "statements.hpp"

#include "clauses.hpp"
#include "json_text.hpp"

#include <algorithm>
#include <optional>

namespace engram::simulator {
namespace {

constexpr std::size_t longest_message = 4096;  // what a message says beyond this is not looked at
constexpr std::size_t longest_clause = 400;
constexpr std::size_t longest_value = 160;
constexpr std::size_t most_statements = 10;

bool is_upper_start(std::string_view w) {
    // A first letter beyond ASCII counts as a capital: it cannot be told without tables.
    return !w.empty() && ((w[0] >= 'A' && w[0] <= 'Z') || static_cast<unsigned char>(w[0]) >= 0x80);
}

bool any_of(std::string_view word, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// The words of a name at the start of `value`: up to four, until a comma or a word that no name has.
std::string name_in(std::string_view value, bool must_be_capital) {
    std::string name;
    auto const words = words_of(value);
    std::size_t taken = 0;
    for (auto word : words) {
        bool const last = word.back() == ',' || word.back() == '.';
        while (!word.empty() && !is_word(word.back()))
            word.remove_suffix(1);
        auto const low = lower_ascii(word);
        if (word.empty() || taken == 4 || !is_word(word.front())) break;
        if (any_of(low, {"and",  "but",   "i",     "my",   "from",     "by",    "the", "a",       "an",
                         "not",  "also",  "with",  "so",   "please",   "what",  "who", "nice",    "if",
                         "when", "at",    "later", "back", "tomorrow", "maybe", "in",  "on",      "here",
                         "now",  "again", "to",    "of",   "for",      "as",    "it",  "unknown", "secret"}))
            break;
        if (must_be_capital && !is_upper_start(word)) break;
        // "Ada likes": after a capitalized name a small word is no part of it.
        if (taken > 0 && is_upper_start(name) && !is_upper_start(word)) break;
        if (taken++ > 0) name += ' ';
        name += word;
        if (last) break;
    }
    return name;
}

bool is_origin(std::string_view low) {
    return low.ends_with("ish") || low.ends_with("ese") ||
           any_of(low,
                  {"german",    "french",    "dutch",     "greek",     "swiss",    "czech",      "thai",
                   "welsh",     "italian",   "russian",   "indian",    "canadian", "australian", "austrian",
                   "norwegian", "brazilian", "ukrainian", "hungarian", "romanian", "egyptian",   "iranian",
                   "belgian",   "bulgarian", "asian",     "european",  "american", "african",    "mexican",
                   "korean",    "ok",        "okay",      "sorry",     "happy",    "glad",       "here"});
}

std::optional<statement> name_statement(std::string_view value, bool must_be_capital) {
    auto const name = name_in(value, must_be_capital);
    if (name.empty()) return std::nullopt;
    return statement{"fact", "The user's name is " + name};
}

/// "I'm Ada." names; "I'm Ada's brother", "I'm German" and "I'm Ready to go" do not.
std::optional<statement> bare_name(std::string_view value) {
    auto const words = words_of(value);
    if (words.empty() || words.size() > 3 || is_origin(lower_ascii(words[0])) ||
        value.find('\'') != value.npos)
        return std::nullopt;
    for (auto w : words)
        if (!is_upper_start(w)) return std::nullopt;
    return name_statement(value, true);
}

enum class how { name, capital_name, bare_name, preference, fact, plan, going, job, article, pet };

struct rule {
    std::string_view
        phrase;  ///< lower case, begins and ends at word boundaries; ~ stands for an adverb or nothing
    how reading;
    std::string_view prefix;  ///< of the memory
};

// The first rule that fits at a place is taken: longer phrases come before their beginnings.
constexpr rule rules[] = {
    {"my name is", how::name, ""},
    {"my name's", how::name, ""},
    {"i am called", how::name, ""},
    {"i'm called", how::name, ""},
    {"i go by", how::name, ""},
    {"call me", how::capital_name, ""},
    {"i ~prefer", how::preference, "Prefers "},
    {"i'd prefer", how::preference, "Prefers "},
    {"i would prefer", how::preference, "Prefers "},
    {"i ~like", how::preference, "Likes "},
    {"i ~love", how::preference, "Loves "},
    {"i ~enjoy", how::preference, "Enjoys "},
    {"i ~hate", how::preference, "Hates "},
    {"i ~dislike", how::preference, "Dislikes "},
    {"i don't ~like", how::preference, "Dislikes "},
    {"i do not ~like", how::preference, "Dislikes "},
    {"i can't stand", how::preference, "Hates "},
    {"i'm ~working on", how::fact, "Is working on "},
    {"i am ~working on", how::fact, "Is working on "},
    {"i ~work on", how::fact, "Is working on "},
    {"i'm ~building", how::fact, "Is working on "},
    {"i am ~building", how::fact, "Is working on "},
    {"my project is called", how::fact, "Is working on a project called "},
    {"my project is", how::fact, "Is working on "},
    {"i ~plan to", how::plan, "Plans to "},
    {"i'm ~planning to", how::plan, "Plans to "},
    {"i am ~planning to", how::plan, "Plans to "},
    {"i'm ~planning", how::plan, "Is planning "},
    {"i am ~planning", how::plan, "Is planning "},
    {"i intend to", how::plan, "Plans to "},
    {"i'm ~going to", how::going, ""},
    {"i am ~going to", how::going, ""},
    {"i ~live in", how::fact, "Lives in "},
    {"i'm from", how::fact, "Is from "},
    {"i am from", how::fact, "Is from "},
    {"i ~work at", how::job, "Works at "},
    {"i ~work as", how::job, "Works as "},
    {"i ~work for", how::job, "Works for "},
    {"i ~work in", how::job, "Works in "},
    {"i'm allergic to", how::fact, "Is allergic to "},
    {"i am allergic to", how::fact, "Is allergic to "},
    {"my favorite", how::fact, "The user's favorite "},
    {"my favourite", how::fact, "The user's favourite "},
    {"my birthday is", how::fact, "The user's birthday is "},
    {"my wife", how::pet, "The user's wife "},
    {"my husband", how::pet, "The user's husband "},
    {"my partner", how::pet, "The user's partner "},
    {"my dog", how::pet, "The user's dog "},
    {"my cat", how::pet, "The user's cat "},
    {"my team", how::pet, "The user's team "},
    {"my job", how::pet, "The user's job "},
    {"my hometown", how::pet, "The user's hometown "},
    {"i'm a", how::article, "Is a "},
    {"i am a", how::article, "Is a "},
    {"i'm an", how::article, "Is an "},
    {"i am an", how::article, "Is an "},
    {"i'm", how::bare_name, ""},
    {"i am", how::bare_name, ""},
    {"i have a", how::pet, "Has a "},
    {"i have an", how::pet, "Has an "},
    {"i have two", how::pet, "Has two "},
};

constexpr std::string_view adverbs[] = {"really ",   "also ",      "usually ",   "always ",   "generally ",
                                        "just ",     "still ",     "currently ", "now ",      "mostly ",
                                        "often ",    "actually ",  "mainly ",    "normally ", "typically ",
                                        "strongly ", "absolutely "};

/// The length of `phrase` at the start of `lower`, with the adverb it allows; 0 if it is not there.
std::size_t phrase_length(std::string_view lower, std::string_view phrase) {
    std::size_t at = 0;
    auto const gap = phrase.find('~');
    if (gap != std::string_view::npos) {
        if (!lower.starts_with(phrase.substr(0, gap))) return 0;
        at = gap;
        for (auto adverb : adverbs)
            if (lower.substr(at).starts_with(adverb)) {
                at += adverb.size();
                break;
            }
        phrase.remove_prefix(gap + 1);
    }
    if (!lower.substr(at).starts_with(phrase)) return 0;
    at += phrase.size();
    return at < lower.size() && lower[at] == ' ' ? at : 0;  // something must follow
}

bool vague(std::string_view value) {
    auto const words = words_of(value);
    return words.empty() ||
           any_of(lower_ascii(words[0]), {"it", "it,", "that", "this", "these", "those", "them", "you",
                                          "your", "how", "what", "when", "where", "not"});
}

std::optional<statement> read_value(rule const& r, std::string_view value) {
    auto const low = lower_ascii(value);
    auto const words = words_of(value);
    if (words.empty()) return std::nullopt;
    auto const as = [&](std::string_view type) {
        return statement{std::string(type),
                         harmless(std::string(r.prefix) + std::string(value), longest_value)};
    };
    switch (r.reading) {
        case how::name:
            return name_statement(value, false);
        case how::capital_name:
            return name_statement(value, true);
        case how::bare_name:
            return bare_name(value);
        case how::preference:
            return vague(value) ? std::nullopt : std::optional(as("preference"));
        case how::plan:
        case how::fact:
        case how::job:
            if (r.phrase.starts_with("my favo"))
                return low.find(" is ") == low.npos && low.find(" are ") == low.npos
                           ? std::nullopt
                           : std::optional(as("preference"));
            return vague(value) ? std::nullopt : std::optional(as("fact"));
        case how::going: {
            bool const a_place = is_upper_start(words[0]) || any_of(words[0], {"the", "a", "my"});
            auto const prefix = a_place ? "Is going to " : "Plans to ";
            return statement{"fact", harmless(prefix + std::string(value), longest_value)};
        }
        case how::article:
            if (words.size() > 8 || any_of(lower_ascii(words[0]), {"bit", "little", "lot", "few", "while"}))
                return std::nullopt;
            return as("fact");
        case how::pet: {
            bool const says_something =
                low.find("named ") != low.npos || low.find("called ") != low.npos ||
                low.find("name is ") != low.npos ||
                (r.phrase.starts_with("my ") && (low.starts_with("is ") || low.starts_with("works ")));
            return says_something ? std::optional(as("fact")) : std::nullopt;
        }
    }
    return std::nullopt;
}

/// "if I like", "do I prefer", "what I love": the word before decides that nothing is stated.
bool only_supposed(std::string_view lower_before) {
    auto const words = words_of(lower_before.substr(lower_before.size() > 24 ? lower_before.size() - 24 : 0));
    if (words.empty()) return false;
    return any_of(words.back(),
                  {"if",   "do",    "does",  "did", "would", "should", "when", "whether", "could", "can",
                   "what", "where", "which", "why", "how",   "unless", "am",   "don't",   "not",   "who"});
}

void find_in_sentence(std::string_view sentence, std::vector<statement>& found) {
    auto const lower = lower_ascii(sentence);
    std::string_view const low = lower;
    for (std::size_t i = 0; i < low.size() && found.size() < most_statements; ++i) {
        if ((low[i] != 'i' && low[i] != 'm' && low[i] != 'c') ||
            (i > 0 && (is_word(low[i - 1]) || low[i - 1] == '\'')))
            continue;
        for (auto const& r : rules) {
            auto const length = phrase_length(low.substr(i), r.phrase);
            if (length == 0) continue;
            if (only_supposed(low.substr(0, i))) break;
            auto const value =
                value_of(sentence.substr(i + length, longest_clause), low.substr(i + length, longest_clause));
            auto stated = read_value(r, value);
            if (!stated) continue;
            auto const same = [&](statement const& s) {
                return same_form(s.content) == same_form(stated->content);
            };
            if (std::none_of(found.begin(), found.end(), same)) found.push_back(std::move(*stated));
            i += length;
            break;
        }
    }
}

}  // namespace

std::vector<statement> find_statements(std::string_view message) {
    std::vector<statement> found;
    auto const text = plain(cut_utf8(message, longest_message));
    for (std::size_t at = 0; at < text.size() && found.size() < most_statements;) {
        auto const end = sentence_end(text, at);
        auto sentence = std::string_view(text).substr(at, end - at);
        if (end < text.size() && text[end] == '?')
            sentence = sentence.substr(0, question_start(lower_ascii(sentence)));
        find_in_sentence(sentence, found);
        at = end + 1;
    }
    return found;
}

std::string same_form(std::string_view sentence) {
    std::string out;
    for (char c : lower_ascii(trim(sentence))) {
        bool const blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    while (!out.empty() && (out.back() == '.' || out.back() == ' '))
        out.pop_back();
    return out;
}

std::string harmless(std::string_view text, std::size_t bytes) {
    std::string out;
    for (char c : cut_utf8(trim(text), bytes)) {
        if (c == '[') c = '(';
        if (c == ']') c = ')';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
        if (c == ' ' && !out.empty() && out.back() == ' ') continue;
        out += c;
    }
    return out;
}

}  // namespace engram::simulator
