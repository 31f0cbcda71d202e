#include "recall/asked_text.hpp"

#include "recall/entry_view.hpp"
#include "recall/known_words.hpp"
#include "recall/small_talk.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <span>

namespace engram::recall {
namespace {

using std::string_view;

/// Of so many words all are the question: nobody pastes less.
constexpr std::size_t most_of_short = 40;
/// A paragraph of so many may be an instruction ("tell me about the following").
constexpr std::size_t most_of_instruction = 30;

struct sentence {
    string_view text;
    std::size_t paragraph;
    bool question;
    bool quoted;
    bool asked = true;
    std::vector<std::vector<std::string>> clauses = {};

    [[nodiscard]] std::size_t words() const {
        std::size_t sum = 0;
        for (auto const& clause : clauses)
            sum += clause.size();
        return sum;
    }
};

struct mark {
    string_view sign;
    enum class kind : std::uint8_t { comma, stop, question } is;
};
constexpr mark signs[] = {
    {"\xE3\x80\x82", mark::kind::stop},      // 。
    {"\xEF\xBC\x81", mark::kind::stop},      // full-width !
    {"\xEF\xBC\x9B", mark::kind::stop},      // full-width ;
    {"\xE2\x80\xA6", mark::kind::stop},      // …
    {"\xE0\xA5\xA4", mark::kind::stop},      // danda
    {"\xDB\x94", mark::kind::stop},          // Urdu full stop
    {"\xEF\xBC\x9F", mark::kind::question},  // full-width ?
    {"\xD8\x9F", mark::kind::question},      // Arabic ?
    {"\xCD\xBE", mark::kind::question},      // Greek ?
    {"\xD5\x9E", mark::kind::question},      // Armenian ?
    {"\xEF\xBC\x8C", mark::kind::comma},     // full-width ,
    {"\xE3\x80\x81", mark::kind::comma},     // 、
    {"\xD8\x8C", mark::kind::comma},         // Arabic ,
};

/// The mark with which the text begins; of those of ASCII only what ends a word ("10.01.", not "10.01").
mark const* mark_at(string_view text) {
    static constexpr mark comma{",", mark::kind::comma}, stop{".", mark::kind::stop},
        question{"?", mark::kind::question};
    auto const c = text.front();
    if ((c & 0x80) == 0) {
        bool const ends =
            text.size() == 1 || string_view(" \t\r\n\"')?!.").find(text[1]) != string_view::npos;
        if (c == '?') return &question;
        if (c == '!' || c == ';' || (c == '.' && ends)) return &stop;
        return c == ',' && ends ? &comma : nullptr;
    }
    auto const* const at =
        std::ranges::find_if(signs, [text](mark const& one) { return text.starts_with(one.sign); });
    return at == std::end(signs) ? nullptr : at;
}

std::vector<std::string> words_of(string_view text, std::size_t most) {
    std::vector<std::string> words;
    word_reader reader(text);
    for (word one{}; words.size() < most && reader.next(one);) {
        if (!is_contraction(one.text)) words.emplace_back(one.text);
    }
    return words;
}

/// Cuts a text into sentences, and these into clauses.
///
/// Not by sentences_of(), which goes on when it is in doubt. Here a piece too many does no harm, and one too
/// few hides the question: in "i moved. when was that?" the full stop ends a sentence, though a small letter
/// follows. Paragraphs, quoted lines and question marks count here, and mean nothing there.
class sentence_reader {
public:
    explicit sentence_reader(string_view text) : text_(text) {
        blank_lines_ = text.find("\n\n") != string_view::npos || text.find("\n\r\n") != string_view::npos;
    }

    std::vector<sentence> read() {
        quoted_ = text_.starts_with('>');
        for (at_ = 0; at_ < text_.size() && left_ > 0;) {
            if (text_[at_] == '\n') {
                end_clause();
                end_sentence(false);
                begin_line();
                continue;
            }
            auto const* const found = mark_at(text_.substr(at_));
            if (found == nullptr) {
                ++at_;
                continue;
            }
            end_clause();
            at_ += found->sign.size();
            clause_ = at_;
            if (found->is != mark::kind::comma)
                end_sentence(found->is == mark::kind::question || is_greek_question());
        }
        end_clause();
        end_sentence(false);
        return std::move(all_);
    }

private:
    /// Greek asks with a semicolon.
    [[nodiscard]] bool is_greek_question() const {
        return at_ >= 3 && text_[at_ - 1] == ';' && (text_[at_ - 3] == '\xCE' || text_[at_ - 3] == '\xCF');
    }

    void begin_line() {
        auto const next = text_.find_first_not_of(" \t\r", ++at_);
        bool const blank = next == string_view::npos || text_[next] == '\n';
        if (blank || !blank_lines_) ++paragraph_;
        quoted_ = !blank && text_[next] == '>';
        clause_ = sentence_ = at_;
    }

    void end_clause() {
        auto words = words_of(text_.substr(clause_, at_ - clause_), left_);
        left_ -= words.size();
        if (!words.empty()) clauses_.push_back(std::move(words));
    }

    void end_sentence(bool question) {
        if (!clauses_.empty()) {
            all_.push_back({text_.substr(sentence_, at_ - sentence_), paragraph_, question, quoted_, true,
                            std::move(clauses_)});
        } else if (question && !all_.empty() && all_.back().paragraph == paragraph_) {
            all_.back().question = true;  // "really?!", "what...?"
        }
        clauses_.clear();
        sentence_ = clause_ = at_;
    }

    string_view text_;
    bool blank_lines_ = false;
    std::size_t at_ = 0, clause_ = 0, sentence_ = 0, paragraph_ = 0;
    bool quoted_ = false;
    std::size_t left_ = most_stems;
    std::vector<std::vector<std::string>> clauses_;
    std::vector<sentence> all_;
};

template <class Test>
bool keep_asked(std::vector<sentence>& all, Test const& is_asked) {
    if (std::ranges::none_of(all, is_asked)) return false;
    for (auto& one : all)
        one.asked = is_asked(one);
    return true;
}

void find_question(std::vector<sentence>& all) {
    std::size_t words = 0;
    for (auto const& one : all)
        words += one.words();
    if (words <= most_of_short) return;
    auto const first = all.front().paragraph, last = all.back().paragraph;
    auto const at_the_ends = [&](sentence const& one) {
        return !one.quoted && (one.paragraph == first || one.paragraph == last);
    };
    if (keep_asked(all, [&](sentence const& one) { return one.question && at_the_ends(one); })) return;
    std::size_t at_first = 0, at_last = 0;
    for (auto const& one : all) {
        at_first += one.paragraph == first ? one.words() : 0;
        at_last += one.paragraph == last ? one.words() : 0;
    }
    keep_asked(all, [&](sentence const& one) {
        auto const length = one.paragraph == first ? at_first : at_last;
        bool const stands_apart = first != last && at_the_ends(one) && length <= most_of_instruction;
        return stands_apart || (one.question && !one.quoted);
    });
}

/// "when", "how long", "since when", "what day"
bool asks_for_a_time(std::span<std::string const> clause) {
    auto const& first = clause[0];
    string_view const second = clause.size() > 1 ? string_view(clause[1]) : string_view();
    if (first == "when" || (first == "how" && second == "long") || (first == "since" && second == "when"))
        return true;
    return first == "what" &&
           (second == "date" || second == "day" || second == "month" || second == "year" || second == "time");
}

template <std::size_t N>
bool is_among(string_view const (&list)[N], string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// What somebody says or gives who is asked; folded.
constexpr string_view said[] = {"said",     "told",      "recommended", "suggested", "advised", "mentioned",
                                "proposed", "explained", "listed",      "described", "showed",  "shown",
                                "provided", "wrote",     "written",     "answered",  "shared",  "offered",
                                "taught",   "gave",      "given"};
constexpr string_view say[] = {"say",     "tell",    "recommend", "suggest",  "advise", "mention",
                               "propose", "explain", "list",      "describe", "show",   "provide",
                               "write",   "answer",  "share",     "offer",    "teach",  "give"};
constexpr string_view sayings[] = {
    "advice",   "answer",         "answers",         "explanation", "explanations",
    "reply",    "recommendation", "recommendations", "response",    "suggestion",
    "proposal", "suggestions",    "instructions",    "recipe",      "list"};
constexpr string_view you[] = {"du",  "hast",  "tu",   "as",  "avez", "vous",
                               "hai", "avete", "voce", "jij", "ты",   "вы"};
constexpr string_view said_elsewhere[] = {"empfohlen",     "vorgeschlagen",
                                          "geraten",       "gesagt",
                                          "genannt",       "erklart",
                                          "erzahlt",       "recommande",
                                          "conseille",     "dit",
                                          "propose",       "suggere",
                                          "explique",      "consigliato",
                                          "detto",         "suggerito",
                                          "proposto",      "spiegato",
                                          "aanbevolen",    "aangeraden",
                                          "gezegd",        "voorgesteld",
                                          "uitgelegd",     "disse",
                                          "recomendou",    "sugeriu",
                                          "explicou",      "посоветовал",
                                          "посоветовала",  "рекомендовал",
                                          "рекомендовала", "порекомендовал",
                                          "сказал",        "сказала",
                                          "предложил",     "предложила",
                                          "советовал",     "говорил",
                                          "говорила",      "rekommenderade",
                                          "foreslog",      "sa",
                                          "anbefalede",    "anbefalte"};
// Those that say by themselves that it was you.
constexpr string_view you_said[] = {
    "dijiste",    "recomendaste", "sugeriste", "aconsejaste",  "explicaste", "contaste",       "mencionaste",
    "propusiste", "disseste",     "poleciłes", "powiedziałes", "doradziłes", "zaproponowałes", "onerdin",
    "soyledin",   "onermistin",   "demistin",  "anlattın",     "tavsiye"};

bool asks_after_the_assistant(std::span<std::string const> clause) {
    bool second = false, verb = false;
    for (std::size_t i = 0; i < clause.size(); ++i) {
        auto const& word = clause[i];
        auto const next = [&](std::size_t ahead) {
            return i + ahead < clause.size() ? string_view(clause[i + ahead]) : string_view();
        };
        bool const did =
            i > 0 && (clause[i - 1] == "did" || clause[i - 1] == "have" || clause[i - 1] == "had");
        if (word == "you") {
            bool const have = next(1) == "have" || next(1) == "had" || next(1) == "just" || next(1) == "ever";
            if (is_among(said, next(1)) || (have && is_among(said, next(2))) ||
                (did && is_among(say, next(1))))
                return true;
        }
        if (word == "your" && is_among(sayings, next(1))) return true;
        if (is_among(you_said, word)) return true;
        second = second || is_among(you, word);
        verb = verb || is_among(said_elsewhere, word);
    }
    return second && verb;
}

}  // namespace

asked_text::asked_text(string_view text) {
    auto sentences = sentence_reader(text).read();
    if (sentences.empty()) return;
    find_question(sentences);
    std::array<std::vector<std::string>, 2> spoken;  // the question and what is aside may be of two languages
    for (auto const& one : sentences) {
        for (auto const& clause : one.clauses)
            spoken[one.asked ? 0 : 1].insert(spoken[one.asked ? 0 : 1].end(), clause.begin(), clause.end());
    }
    std::array<language, 2> const in{guess_language(spoken[0]), guess_language(spoken[1])};
    bool asks = false;
    for (auto const& one : sentences) {
        for (auto const& clause : one.clauses) {
            auto const content = words_with_content(clause, in[one.asked ? 0 : 1]);
            for (std::size_t i = 0; i < clause.size(); ++i) {
                words.push_back({clause[i], look_up(clause[i]).stem, content[i], !one.asked});
                asks = asks || (one.asked && content[i]);
            }
            asks_when = asks_when || (one.asked && asks_for_a_time(clause));
            asks_assistant = asks_assistant || (one.asked && asks_after_the_assistant(clause));
        }
        if (one.asked) (question += one.text) += '\n';
    }
    if (asks) return;
    // "What do you think?" asks nothing by itself.
    for (auto& one : words)
        one.aside = false;
    question = text;
}

}  // namespace engram::recall
