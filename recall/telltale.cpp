#include "recall/telltale.hpp"

#include "recall/everyday_words.hpp"
#include "recall/run_parts.hpp"
#include "recall/sentences.hpp"
#include "recall/word_forms.hpp"
#include "recall/word_lists.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace engram::recall {
namespace {

// Of one text: the first ones of a longer one tell it. As many as a word has bits.
constexpr std::size_t most_marks = 64;

// What a word and its other forms have in common.
std::uint32_t key_of(std::u32string_view begin) {
    std::uint32_t hash = 0x811C9DC5;
    for (auto const c : begin)
        hash = (hash ^ static_cast<std::uint32_t>(c)) * 0x01000193;
    return hash;
}

std::uint32_t key_at(std::u32string_view text, std::size_t from, std::size_t length) {
    return key_of(text.substr(std::min(from, text.size()), length));
}

// Where every noun has a capital letter, it says nothing.
bool is_german(std::vector<token> const& tokens) {
    constexpr auto words = std::to_array<std::u32string_view>(
        {U"der",        U"ist", U"und",   U"eine",  U"einen",  U"heisst", U"nutzer", U"nutzerin", U"benutzer",
         U"benutzerin", U"ich", U"wohnt", U"nicht", U"kein",   U"keine",  U"mein",   U"meine",    U"dein",
         U"deine",      U"im",  U"zum",   U"zur",   U"lautet", U"trinkt", U"mag",    U"isst"});
    return std::ranges::any_of(
        tokens, [&](token const& one) { return std::ranges::find(words, one.text) != words.end(); });
}

bool is_of_calendar(std::u32string_view word) {
    auto text = to_utf8(word);
    if (month_number(text) != 0 || weekday_number(text) != 0) return true;
    if (text.ends_with('s')) text.pop_back();
    return weekday_number(text) != 0;
}

bool is_code(token const& one) {
    if (!one.mixed) return false;
    auto const digits = std::ranges::count_if(one.text, [](char32_t c) { return c >= '0' && c <= '9'; });
    return digits == 0 || (one.text.size() >= 4 && digits >= 2);
}

// All words of a text; `first` is of its sentence.
std::vector<token> words_of(std::string_view text) {
    std::vector<token> words;
    for (auto const sentence : sentences_of(text))
        for (auto& one : tokens_of(sentence))
            words.push_back(std::move(one));
    return words;
}

}  // namespace

// What counts of one word; nothing if it is a filler.
void telltale::append_marks(token const& one, bool german, std::vector<mark>& marks) {
    mark made{one.kind, one.script, one.text};
    if (one.kind == token_kind::run) {
        for (auto& part : parts_of_run(one.text)) {
            made.text = std::move(part.text);
            made.rare = part.rare;
            marks.push_back(made);
        }
        return;
    }
    if (one.kind == token_kind::number) {
        made.number = one.text.size() >= number_digits && !is_this_century(one.text);
        marks.push_back(std::move(made));
        return;
    }
    auto const common = commonness_of_form(one.text);
    bool const capital = one.capital && !one.first && !german;
    bool const filler = common == commonness::filler;
    if (one.text.size() < 2 || (filler && !capital && !is_code(one))) return;
    bool const dated = is_of_calendar(one.text);
    made.capital = one.capital;
    made.rare = is_code(one) || (common == commonness::rare && one.text.size() >= 3 && !dated);
    made.name = capital && !filler && !dated;
    if (one.script == script::hangul) made.text = without_particle(one.text);
    marks.push_back(std::move(made));
}

std::vector<telltale::mark> telltale::marks_of(std::string_view text) {
    auto const words = words_of(text);
    bool const german = is_german(words);
    std::vector<mark> marks;
    for (auto const& one : words)
        append_marks(one, german, marks);
    return marks;
}

void telltale::add(std::string_view text, std::string_view now) {
    traced made;
    auto const note = [&](mark& one, bool old) {
        auto const same = std::ranges::find_if(
            made.marks, [&](mark const& known) { return known.kind == one.kind && known.text == one.text; });
        if (same == made.marks.end() && made.marks.size() == most_marks) return;
        auto& into = same != made.marks.end() ? *same : made.marks.emplace_back(std::move(one));
        (old ? into.in_old : into.in_new) = true;
    };
    for (auto& one : marks_of(text))
        note(one, true);
    for (auto& one : marks_of(now))
        note(one, false);
    made.has_successor = !now.empty();
    texts_.push_back(std::move(made));
    index(static_cast<std::uint32_t>(texts_.size() - 1));
}

void telltale::index(std::uint32_t text) {
    auto const& marks = texts_[text].marks;
    for (std::uint32_t i = 0; i < marks.size(); ++i) {
        auto const& one = marks[i];
        place const where{text, i};
        if (one.kind == token_kind::number) {
            numbers_.push_back(where);
        } else if (one.kind == token_kind::run || one.script == script::hangul) {
            keys_[key_at(one.text, 0, 2)].push_back(where);
        } else if (one.script == script::semitic) {
            for (std::size_t from = 0; from <= 3 && from + 3 <= std::max<std::size_t>(one.text.size(), 3);
                 ++from)
                keys_[key_at(one.text, from, 3)].push_back(where);
        } else {
            keys_[key_at(one.text, 0, 3)].push_back(where);
        }
    }
}

void telltale::look_at(place where, token const& one, std::u32string_view run, found& into) const {
    auto const& known = texts_[where.text].marks[where.mark];
    if (known.kind != one.kind || (known.script != one.script && known.kind == token_kind::word)) return;
    bool same = false;
    if (one.kind == token_kind::run) {
        same = run.starts_with(known.text);
    } else if (known.script == script::hangul) {
        auto const word = without_particle(one.text);
        same = word.starts_with(known.text) && word.size() - known.text.size() <= 2;
    } else if (known.text == one.text) {
        same = true;
    } else if (known.script == script::semitic) {
        same = differ_in_beginning(known.text, one.text);
    } else if (!known.capital || one.capital) {
        same = differ_in_ending(known.text, one.text);
    }
    if (same) into[where.text] |= std::uint64_t{1} << where.mark;
}

void telltale::look_for(token const& one, found& into) const {
    auto const visit = [&](std::uint32_t key, std::u32string_view run) {
        auto const places = keys_.find(key);
        if (places == keys_.end()) return;
        for (auto const where : places->second)
            look_at(where, one, run, into);
    };
    if (one.kind == token_kind::number) {
        for (auto const where : numbers_)
            if (is_number(texts_[where.text].marks[where.mark].text, one))
                into[where.text] |= std::uint64_t{1} << where.mark;
        return;
    }
    if (one.kind == token_kind::run) {
        for (std::size_t at = 0; at < one.text.size(); ++at) {
            auto const rest = std::u32string_view(one.text).substr(at);
            visit(key_at(rest, 0, 2), rest);
            if (rest.size() > 1) visit(key_at(rest, 0, 1), rest);
        }
        return;
    }
    if (one.script == script::hangul) return visit(key_at(one.text, 0, 2), {});
    if (one.script == script::semitic) {
        for (std::size_t from = 0; from <= 3 && from + 3 <= std::max<std::size_t>(one.text.size(), 3); ++from)
            visit(key_at(one.text, from, 3), {});
        return;
    }
    visit(key_at(one.text, 0, 3), {});
    if (!one.mixed) return;
    // "4711er", "No4711"
    auto const is_digit = [](char32_t c) { return c >= '0' && c <= '9'; };
    auto const from = std::ranges::find_if(one.text, is_digit);
    token number{.kind = token_kind::number,
                 .text = {from, std::find_if_not(from, one.text.end(), is_digit)},
                 .groups = {}};
    if (!number.text.empty()) look_for(number, into);
}

void telltale::hold(std::string_view text) {
    for (auto const sentence : sentences_of(text)) {
        found marks;
        for (auto const& one : tokens_of(sentence))
            look_for(one, marks);
        for (auto const& [index, bits] : marks)
            for (std::size_t i = 0; i < texts_[index].marks.size(); ++i)
                if ((bits >> i & 1) != 0) texts_[index].marks[i].held = true;
    }
}

bool telltale::tells(traced const& one, std::uint64_t marks, kinship how) const {
    std::uint64_t old = 0, of_old_only = 0, of_new_only = 0, new_and_strong = 0;
    std::uint64_t number = 0, rare = 0, name = 0;
    for (std::size_t i = 0; i < one.marks.size(); ++i) {
        auto const& mark = one.marks[i];
        auto const bit = std::uint64_t{1} << i;
        bool const strong = mark.number || mark.rare || mark.name;
        if (mark.in_old) old |= bit;
        if (mark.in_old && !mark.in_new) of_old_only |= bit;
        if (!mark.in_old) of_new_only |= bit;
        if (!mark.in_old && strong) new_and_strong |= bit;
        if (mark.held) continue;
        if (mark.number) number |= bit;
        if (mark.rare) rare |= bit;
        if (mark.name) name |= bit;
    }
    if (how == kinship::none || (marks & old) == 0) return false;
    if (one.has_successor) {
        // More was added to it: it still holds.
        if (of_old_only == 0 && new_and_strong != 0) return false;
        if ((marks & (new_and_strong != 0 ? new_and_strong : of_new_only)) != 0) return false;
        if (of_old_only != 0 && (marks & of_old_only) == 0) return false;
    }
    auto const alone = marks & (of_old_only != 0 ? of_old_only : old);
    auto const n = std::popcount(old), k = std::popcount(marks & old);
    bool const most = k >= 2 && 2 * k > n;
    switch (how) {
        case kinship::none:
            return false;
        case kinship::elsewhere:
            return (alone & number) != 0 || (most && ((alone & (rare | name)) != 0 || k >= 3 || k == n));
        case kinship::repeated:
            return (alone & (number | rare)) != 0 || most;
        case kinship::made:
        case kinship::told:
            break;
    }
    if ((alone & (number | rare | name)) != 0 || (k >= 2 && 2 * k >= n)) return true;
    return how == kinship::told && n == 1;
}

std::optional<std::string> telltale::cut(std::string_view text,
                                         std::function<kinship(std::size_t)> const& of) const {
    if (empty()) return std::nullopt;
    std::unordered_map<std::uint32_t, kinship> asked;
    std::string kept;
    bool changed = false;
    found marks;
    for (auto const sentence : sentences_of(text)) {
        marks.clear();
        for (auto const& one : tokens_of(sentence))
            look_for(one, marks);
        bool const goes = std::ranges::any_of(marks, [&](auto const& of_text) {
            auto [known, is_new] = asked.try_emplace(of_text.first, kinship::none);
            if (is_new) known->second = of(of_text.first);
            return tells(texts_[of_text.first], of_text.second, known->second);
        });
        changed = changed || goes;
        bool const ends_line = sentence.ends_with('\n') && !kept.empty() && !kept.ends_with('\n');
        if (!goes)
            kept += sentence;
        else if (ends_line)
            kept += '\n';
    }
    if (!changed) return std::nullopt;
    auto const last = kept.find_last_not_of(" \t\r\n");
    kept.resize(last == kept.npos ? 0 : last + 1);
    return kept;
}

}  // namespace engram::recall
