#include "recall/word_lists.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace engram::recall {
namespace {

using std::string_view;

// All lists are sorted.

constexpr string_view stop_words[] = {
    "a",    "about",   "after",   "all",   "also",   "am",    "an",     "and",    "any",  "are",   "as",
    "at",   "be",      "because", "been",  "before", "being", "both",   "but",    "by",   "can",   "could",
    "d",    "did",     "do",      "does",  "doing",  "don",   "down",   "during", "each", "few",   "for",
    "from", "further", "get",     "had",   "has",    "have",  "having", "he",     "her",  "here",  "hers",
    "him",  "his",     "how",     "i",     "if",     "in",    "into",   "is",     "it",   "its",   "just",
    "like", "ll",      "m",       "me",    "more",   "most",  "my",     "no",     "nor",  "not",   "now",
    "of",   "off",     "on",      "once",  "only",   "or",    "other",  "our",    "out",  "over",  "own",
    "re",   "s",       "same",    "she",   "should", "so",    "some",   "such",   "t",    "than",  "that",
    "the",  "their",   "theirs",  "them",  "then",   "there", "these",  "they",   "this", "those", "through",
    "to",   "too",     "under",   "until", "up",     "ve",    "very",   "was",    "we",   "were",  "what",
    "when", "where",   "which",   "while", "who",    "whom",  "why",    "will",   "with", "would", "you",
    "your", "yours"};

constexpr string_view contractions[] = {"d", "ll", "m", "re", "s", "t", "ve"};

constexpr string_view first_person[] = {"i",   "me",   "mine",      "my", "myself",
                                        "our", "ours", "ourselves", "us", "we"};

constexpr string_view time_words[] = {
    "afternoon", "ago",     "april",   "august", "day",      "days",    "december", "evening",  "fall",
    "february",  "friday",  "january", "july",   "june",     "last",    "march",    "monday",   "month",
    "months",    "morning", "next",    "night",  "november", "october", "recently", "saturday", "september",
    "since",     "spring",  "summer",  "sunday", "thursday", "today",   "tomorrow", "tonight",  "tuesday",
    "wednesday", "week",    "weekend", "weeks",  "winter",   "year",    "years",    "yesterday"};

struct form {
    string_view word, base;
};

/// Irregular forms, and what people in a chat say for the same.
constexpr form irregular[] = {{"am", "be"},
                              {"are", "be"},
                              {"ate", "eat"},
                              {"became", "become"},
                              {"been", "be"},
                              {"began", "begin"},
                              {"begun", "begin"},
                              {"being", "be"},
                              {"bicycle", "bike"},
                              {"bit", "bite"},
                              {"bitten", "bite"},
                              {"bought", "buy"},
                              {"broke", "break"},
                              {"broken", "break"},
                              {"brought", "bring"},
                              {"built", "build"},
                              {"came", "come"},
                              {"caught", "catch"},
                              {"children", "child"},
                              {"chose", "choose"},
                              {"chosen", "choose"},
                              {"did", "do"},
                              {"does", "do"},
                              {"done", "do"},
                              {"drank", "drink"},
                              {"drawn", "draw"},
                              {"dreamt", "dream"},
                              {"drew", "draw"},
                              {"driven", "drive"},
                              {"drove", "drive"},
                              {"drunk", "drink"},
                              {"eaten", "eat"},
                              {"fallen", "fall"},
                              {"father", "dad"},
                              {"feet", "foot"},
                              {"fell", "fall"},
                              {"felt", "feel"},
                              {"flew", "fly"},
                              {"flown", "fly"},
                              {"forgot", "forget"},
                              {"forgotten", "forget"},
                              {"fought", "fight"},
                              {"found", "find"},
                              {"gave", "give"},
                              {"given", "give"},
                              {"gone", "go"},
                              {"got", "get"},
                              {"gotten", "get"},
                              {"grew", "grow"},
                              {"grown", "grow"},
                              {"had", "have"},
                              {"has", "have"},
                              {"heard", "hear"},
                              {"held", "hold"},
                              {"hid", "hide"},
                              {"hidden", "hide"},
                              {"hung", "hang"},
                              {"is", "be"},
                              {"kept", "keep"},
                              {"kid", "child"},
                              {"kids", "child"},
                              {"knew", "know"},
                              {"knives", "knife"},
                              {"known", "know"},
                              {"learnt", "learn"},
                              {"leaves", "leaf"},
                              {"led", "lead"},
                              {"left", "leave"},
                              {"lent", "lend"},
                              {"lost", "lose"},
                              {"made", "make"},
                              {"meant", "mean"},
                              {"men", "man"},
                              {"met", "meet"},
                              {"mice", "mouse"},
                              {"mother", "mom"},
                              {"mum", "mom"},
                              {"paid", "pay"},
                              {"people", "person"},
                              {"photograph", "photo"},
                              {"pic", "photo"},
                              {"pics", "photo"},
                              {"picture", "photo"},
                              {"ran", "run"},
                              {"rang", "ring"},
                              {"read", "read"},
                              {"ridden", "ride"},
                              {"risen", "rise"},
                              {"rode", "ride"},
                              {"rose", "rise"},
                              {"rung", "ring"},
                              {"said", "say"},
                              {"sang", "sing"},
                              {"sat", "sit"},
                              {"saw", "see"},
                              {"seen", "see"},
                              {"sent", "send"},
                              {"shot", "shoot"},
                              {"slept", "sleep"},
                              {"sold", "sell"},
                              {"sought", "seek"},
                              {"spent", "spend"},
                              {"spoke", "speak"},
                              {"spoken", "speak"},
                              {"stole", "steal"},
                              {"stolen", "steal"},
                              {"stood", "stand"},
                              {"struck", "strike"},
                              {"stuck", "stick"},
                              {"sung", "sing"},
                              {"swam", "swim"},
                              {"swum", "swim"},
                              {"taken", "take"},
                              {"taught", "teach"},
                              {"teeth", "tooth"},
                              {"thought", "think"},
                              {"threw", "throw"},
                              {"thrown", "throw"},
                              {"told", "tell"},
                              {"took", "take"},
                              {"understood", "understand"},
                              {"was", "be"},
                              {"went", "go"},
                              {"were", "be"},
                              {"wives", "wife"},
                              {"woke", "wake"},
                              {"woken", "wake"},
                              {"women", "woman"},
                              {"won", "win"},
                              {"wore", "wear"},
                              {"worn", "wear"},
                              {"written", "write"},
                              {"wrote", "write"}};

constexpr string_view months[] = {"january", "february", "march",     "april",   "may",      "june",
                                  "july",    "august",   "september", "october", "november", "december"};

constexpr string_view weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                    "friday", "saturday", "sunday"};

constexpr string_view numbers[] = {"zero",  "one",   "two",  "three", "four",   "five",  "six",
                                   "seven", "eight", "nine", "ten",   "eleven", "twelve"};

template <std::size_t N>
bool is_among(string_view const (&list)[N], string_view word) {
    return std::binary_search(std::begin(list), std::end(list), word);
}

template <std::size_t N>
int place_among(string_view const (&list)[N], string_view word) {
    auto const at = std::find(std::begin(list), std::end(list), word);
    return at == std::end(list) ? -1 : static_cast<int>(at - std::begin(list));
}

}  // namespace

bool is_stop_word(string_view word) {
    return is_among(stop_words, word);
}
bool is_contraction(string_view word) {
    return is_among(contractions, word);
}
bool is_first_person(string_view word) {
    return is_among(first_person, word);
}
bool is_time_word(string_view word) {
    return is_among(time_words, word);
}

string_view regular_form(string_view word) {
    auto const at = std::lower_bound(std::begin(irregular), std::end(irregular), word,
                                     [](form const& one, string_view other) { return one.word < other; });
    return at != std::end(irregular) && at->word == word ? at->base : word;
}

int month_number(string_view word) {
    return place_among(months, word) + 1;
}
int weekday_number(string_view word) {
    return place_among(weekdays, word) + 1;
}

int number_of(string_view word) {
    if (word == "a" || word == "an") return 1;
    if (word.empty() || word.size() > 4) return place_among(numbers, word);
    int number = 0;
    for (char const c : word) {
        if (c < '0' || c > '9') return place_among(numbers, word);
        number = 10 * number + (c - '0');
    }
    return number;
}

}  // namespace engram::recall
