#include "recall/telltale.hpp"

#include "recall/everyday_words.hpp"
#include "recall/sentences.hpp"
#include "recall/word_lists.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace engram::recall {
namespace {

constexpr std::size_t most_marks = 64;  // of one text: as many as a word has bits
constexpr std::size_t number_digits = 3;
constexpr std::size_t same_phone_digits = 7;  // without the prefix of the country

// ---- keys: what a word and its other forms have in common

std::uint32_t key_of(std::u32string_view begin) {
    std::uint32_t hash = 0x811C9DC5;
    for (auto const c : begin)
        hash = (hash ^ static_cast<std::uint32_t>(c)) * 0x01000193;
    return hash;
}

std::uint32_t key_at(std::u32string_view text, std::size_t from, std::size_t length) {
    return key_of(text.substr(std::min(from, text.size()), length));
}

// ---- words in other forms

constexpr auto particles = std::to_array<std::u32string_view>(
    {U"이라고", U"입니다", U"이에요", U"에게서", U"에서는", U"에서", U"에게", U"으로", U"까지", U"부터",
     U"한테",   U"께서",   U"라고",   U"예요",   U"이다",   U"이랑", U"처럼", U"보다", U"씨가", U"씨는",
     U"님이",   U"님은",   U"은",     U"는",     U"이",     U"가",   U"을",   U"를",   U"의",   U"에",
     U"로",     U"와",     U"과",     U"도",     U"만",     U"씨",   U"님",   U"랑"});

std::u32string_view without_particle(std::u32string_view word) {
    for (auto const one : particles)
        if (word.size() >= one.size() + 2 && word.ends_with(one))
            return word.substr(0, word.size() - one.size());
    return word;
}

std::size_t common_prefix(std::u32string_view a, std::u32string_view b) {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// "Anna", "Annas", "Anny"; "Marguerite", "Marguerites"; "москва", "москве".
bool differ_in_ending(std::u32string_view known, std::u32string_view seen) {
    auto const same = common_prefix(known, seen);
    auto const lost = known.size() - same, added = seen.size() - same;
    if (known.size() < 3) return false;
    if (added == 0 && same >= 5 && lost <= 4) return true;  // "debrecenben", "debrecen"
    if (known.size() >= 5) return same >= 4 && lost <= (known.size() >= 6 ? 2U : 1U) && added <= 4;
    return lost == 0 ? added <= known.size() - 2 : lost == 1 && same >= 3 && added <= 1;
}

// "قاهرة", "القاهرة", "بالقاهرة"
bool differ_in_beginning(std::u32string_view a, std::u32string_view b) {
    auto const& longer = a.size() > b.size() ? a : b;
    auto const& shorter = a.size() > b.size() ? b : a;
    if (shorter.size() < 3) return false;
    for (std::size_t before = 0; before <= std::min<std::size_t>(3, longer.size()); ++before)
        if (differ_in_ending(shorter, longer.substr(before)) || longer.substr(before) == shorter) return true;
    return false;
}

// ---- numbers

bool is_this_century(std::u32string_view digits) {
    return digits.size() == 4 && digits.starts_with(U"20");
}

std::span<std::u32string const> parts_of(token const& one) {
    return one.groups.empty() ? std::span(&one.text, 1) : std::span(one.groups);
}

bool is_number(std::u32string_view known, token const& seen) {
    if (seen.text == known) return true;
    if (known.size() < number_digits) return false;
    auto const parts = parts_of(seen);
    for (std::size_t from = 0; from < parts.size(); ++from) {
        std::u32string joined;
        for (std::size_t i = from; i < parts.size() && joined.size() < known.size(); ++i) {
            joined += parts[i];
            if (joined == known) return true;
        }
    }
    if (known.size() < same_phone_digits || seen.text.size() < same_phone_digits) return false;
    return known.ends_with(seen.text.substr(seen.text.size() - same_phone_digits));
}

// ---- scripts without blanks

bool is_katakana(char32_t c) {
    return (c >= 0x30A1 && c <= 0x30FA) || c == 0x30FC;
}
bool is_hiragana(char32_t c) {
    return c >= 0x3041 && c <= 0x309F;
}
bool is_han(char32_t c) {
    return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || c >= 0x20000;
}

// Characters that end a name or a word that is in no list.
bool is_function_character(char32_t c) {
    constexpr std::u32string_view characters =
        U"的了是在我你您他她它们們和与與也不有叫住这這那很都就说說去来來要会會能没沒吗嗎呢吧啊把被让讓给給对"
        U"對从從到为為以及或但而所得地"
        U"着著过過做谁誰什么麼怎于於之其更最还還又才只";
    return is_hiragana(c) || characters.find(c) != characters.npos;
}

// The parts of a run: everyday words, and what is left between them.
struct part {
    std::u32string text;
    bool rare;
};

class run_reader {
public:
    explicit run_reader(std::u32string_view run) : run_(run) {}

    std::vector<part> read() {
        for (std::size_t at = 0; at < run_.size();) {
            if (is_katakana(run_[at])) {
                at = read_katakana(at);
            } else if (auto const length = everyday_at(at); length > 0) {
                end_rest();
                auto const word = run_.substr(at, length);
                if (commonness_of(to_utf8(word)) == commonness::everyday)
                    parts_.push_back({std::u32string(word), false});
                at += length;
            } else if (is_function_character(run_[at])) {
                end_rest();
                ++at;
            } else {
                rest_ += run_[at++];
            }
        }
        end_rest();
        return std::move(parts_);
    }

private:
    std::size_t read_katakana(std::size_t at) {
        end_rest();
        auto end = at;
        while (end < run_.size() && is_katakana(run_[end]))
            ++end;
        auto const word = run_.substr(at, end - at);
        auto const common = commonness_of(to_utf8(word));
        if (common != commonness::filler && word.size() > 1)
            parts_.push_back({std::u32string(word), common == commonness::rare});
        return end;
    }

    // The longest word of the lists with two characters or more.
    std::size_t everyday_at(std::size_t at) const {
        auto const most = is_han(run_[at]) || is_hiragana(run_[at]) ? std::size_t{4} : std::size_t{12};
        for (auto length = std::min(most, run_.size() - at); length >= 2; --length)
            if (commonness_of(to_utf8(run_.substr(at, length))) != commonness::rare) return length;
        return 0;
    }

    void end_rest() {
        auto const least = !rest_.empty() && is_han(rest_[0]) ? std::size_t{2} : std::size_t{3};
        bool const odd_one =
            rest_.size() == 1 && is_han(rest_[0]) && commonness_of(to_utf8(rest_)) == commonness::rare;
        if (rest_.size() >= least || odd_one) parts_.push_back({rest_, true});
        rest_.clear();
    }

    std::u32string_view run_;
    std::u32string rest_;
    std::vector<part> parts_;
};

// ---- words

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

}  // namespace

// What counts of a text.
static void append_marks(std::string_view text, std::vector<token>& words, std::vector<bool>& first) {
    for (auto const sentence : sentences_of(text))
        for (auto& one : tokens_of(sentence)) {
            first.push_back(one.first);
            words.push_back(std::move(one));
        }
}

void telltale::add(std::string_view text, std::string_view now) {
    traced made;
    auto const note = [&](mark one, bool of_old) {
        auto const same = std::ranges::find_if(
            made.marks, [&](mark const& known) { return known.kind == one.kind && known.text == one.text; });
        auto& into = same != made.marks.end() ? *same : made.marks.emplace_back(std::move(one));
        into.in_old = into.in_old || of_old;
        into.in_new = into.in_new || !of_old;
    };
    auto const read = [&](std::string_view whole, bool of_old) {
        std::vector<token> words;
        std::vector<bool> first;
        append_marks(whole, words, first);
        bool const german = is_german(words);
        for (auto& one : words) {
            if (made.marks.size() + 8 >= most_marks) return;
            mark base{one.kind, one.script, one.text, one.groups};
            if (one.kind == token_kind::run) {
                for (auto& part : run_reader(one.text).read()) {
                    if (made.marks.size() == most_marks) return;
                    base.text = std::move(part.text);
                    base.rare = part.rare;
                    note(base, of_old);
                }
                continue;
            }
            if (one.kind == token_kind::number) {
                base.number = one.text.size() >= number_digits && !is_this_century(one.text);
            } else {
                auto const common = commonness_of_form(one.text);
                bool const capital = one.capital && !one.first && !german;
                if (one.text.size() < 2 || (common == commonness::filler && !capital && !is_code(one)))
                    continue;
                bool const dated = is_of_calendar(one.text);
                base.capital = one.capital;
                base.rare = is_code(one) || (common == commonness::rare && one.text.size() >= 3 && !dated);
                base.name = capital && common != commonness::filler && !dated;
                if (one.script == script::hangul) base.text = without_particle(one.text);
            }
            note(base, of_old);
        }
    };
    read(text, true);
    made.counted = made.marks.size();
    if (!now.empty()) read(now, false);
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
        auto const shared = common_prefix(known.text, word);
        same = shared == known.text.size() && word.size() - shared <= 2;
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
