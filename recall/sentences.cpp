#include "recall/sentences.hpp"

#include "recall/tokens.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utf8proc.h>

namespace engram::recall {
namespace {

// What is longer is text with a bracket that was never closed, and is cut by sentences.
constexpr std::size_t longest_tag = 4'000;  // bytes, the brackets among them

struct character {
    char32_t code;
    std::size_t bytes;
};

character look(std::string_view text, std::size_t at) {
    auto const first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return {first, 1};
    utf8proc_int32_t code = 0;
    auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data() + at),
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (size <= 0) return {0xFFFD, 1};
    return {static_cast<char32_t>(code), static_cast<std::size_t>(size)};
}

bool is_one_of(char32_t c, std::u32string_view some) {
    return some.find(c) != some.npos;
}

bool is_line_end(char32_t c) {
    return is_one_of(c, U"\n\r\v\f\u0085\u2028\u2029");
}
bool is_blank(char32_t c) {
    return is_one_of(c, U" \t\u00A0\u1680\u202F\u205F\u3000") || (c >= 0x2000 && c <= 0x200B);
}
/// Ends a sentence wherever it stands: full-width stops, and those of scripts that have one for this alone.
bool is_hard_stop(char32_t c) {
    return is_one_of(c, U"。！？｡．؟۔।॥։።፧፨။។៕།༎‼⁇⁈⁉");
}
/// Ends one only where a blank or the end follows.
bool is_soft_stop(char32_t c) {
    return is_one_of(c, U".!?…");
}
bool is_closer(char32_t c) {
    return is_one_of(c, U"\"')]}*_`»“”’」』）】］›");
}
bool is_opening_bracket(char32_t c) {
    return is_one_of(c, U"[［【");
}

bool is_letter(char32_t c) {
    auto const category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}
bool is_small(char32_t c) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LL;
}
bool is_digit(char32_t c) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_ND;
}

constexpr auto abbreviations = std::to_array<std::u32string_view>(
    {U"al",   U"approx", U"apt",  U"art", U"ave", U"avda", U"bd",  U"blvd", U"bzw",  U"ca",  U"cf",
     U"co",   U"corp",   U"dept", U"dhr", U"doc", U"dott", U"dr",  U"dra",  U"drs",  U"eg",  U"etc",
     U"evtl", U"ext",    U"fig",  U"fr",  U"frl", U"geb",  U"gen", U"ggf",  U"hr",   U"hrn", U"ie",
     U"inc",  U"inż",    U"ing",  U"jr",  U"lic", U"ltd",  U"max", U"mevr", U"mgr",  U"min", U"mlle",
     U"mme",  U"mr",     U"mrs",  U"ms",  U"mt",  U"nr",   U"no",  U"núm",  U"nº",   U"op",  U"pl",
     U"prof", U"rer",    U"resp", U"rev", U"sen", U"sig",  U"sr",  U"sra",  U"srta", U"st",  U"ste",
     U"str",  U"tel",    U"tzn",  U"ul",  U"usw", U"vgl",  U"vs",  U"zb",   U"zgl",  U"гр",  U"им",
     U"обл",  U"проф",   U"стр",  U"тел", U"ул",  U"дом",  U"кв",  U"пр",   U"см"});

// Whether the text up to a full stop ends with something that a full stop does not end.
bool is_abbreviated(std::string_view before) {
    std::u32string last;
    char32_t in_front = U' ';
    auto end = before.size();
    while (end > 0 && last.size() < 8) {
        auto begin = end - 1;
        while (begin > 0 && (static_cast<unsigned char>(before[begin]) & 0xC0) == 0x80)
            --begin;
        auto const c = look(before, begin).code;
        if (!is_letter(c) && !is_digit(c)) {
            in_front = c;
            break;
        }
        last.insert(last.begin(), c);
        end = begin;
    }
    if (last.empty()) return false;
    bool const stands_alone = is_blank(in_front) || is_line_end(in_front) || is_one_of(in_front, U"(*_");
    // "3. Mai", "1. the first item"
    if (std::ranges::all_of(last, is_digit)) return last.size() <= 2 && stands_alone;
    if (last.size() == 1)
        return (stands_alone || in_front == U'.') &&
               (script_of(last[0]) == script::cased || script_of(last[0]) == script::semitic);
    auto const words = tokens_of(to_utf8(last));
    return !words.empty() && std::ranges::find(abbreviations, words.front().text) != abbreviations.end();
}

// The last stretch of one kind of character that was walked over: walking it anew for each of its characters
// would cost the square of its length.
struct stretch {
    std::size_t from = 0, to = 0;

    [[nodiscard]] bool has(std::size_t at) const { return from <= at && at < to; }
};

class splitter {
public:
    explicit splitter(std::string_view text) : text_(text) {}

    std::vector<std::string_view> split() {
        while (at_ < text_.size()) {
            if (auto const tag = tag_length(); tag > 0) {
                end_piece(at_);
                at_ += tag;
                end_piece(behind_line(at_));
                continue;
            }
            step();
        }
        end_piece(text_.size());
        return std::move(pieces_);
    }

private:
    void step() {
        auto const c = look(text_, at_);
        auto const stop = at_;
        at_ += c.bytes;
        if (is_line_end(c.code)) {
            end_piece(behind_line(at_));
        } else if (is_hard_stop(c.code)) {
            end_piece(behind_line(behind_closers(at_)));
        } else if (is_soft_stop(c.code)) {
            if (ends_here(c.code, stop)) end_piece(behind_line(behind_closers(at_)));
        } else if (is_blank(c.code) && stop > 0 && at_ < text_.size() && is_between_words_of_thai(stop)) {
            end_piece(at_);
        }
    }

    bool is_between_words_of_thai(std::size_t blank) const {
        auto const is_thai = [](char32_t c) {
            return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1780 && c <= 0x17FF);
        };
        auto before = blank - 1;
        while (before > 0 && (static_cast<unsigned char>(text_[before]) & 0xC0) == 0x80)
            --before;
        return is_thai(look(text_, before).code) && is_thai(look(text_, at_).code);
    }

    bool ends_here(char32_t stop, std::size_t place) {
        auto const after = behind_closers(at_);
        if (after >= text_.size()) return true;
        auto const next = look(text_, after).code;
        if (!is_blank(next) && !is_line_end(next)) {
            // "…」" is behind_closers(); a script without blanks goes on at once
            return script_of(next) == script::unbroken && stop != U'.';
        }
        if (stop == U'!' || stop == U'?') return true;
        auto const beyond = behind_blanks(after);
        if (beyond < text_.size() && is_small(look(text_, beyond).code)) return false;
        return stop != U'.' || !is_abbreviated(text_.substr(begin_, place - begin_));
    }

    std::size_t behind_closers(std::size_t at) {
        return behind(closers_, at,
                      [](char32_t c) { return is_closer(c) || is_soft_stop(c) || is_hard_stop(c); });
    }
    std::size_t behind_blanks(std::size_t at) { return behind(blanks_, at, is_blank); }

    template <class Is>
    std::size_t behind(stretch& last, std::size_t at, Is is) const {
        if (last.has(at)) return last.to;
        last.from = at;
        while (at < text_.size()) {
            auto const c = look(text_, at);
            if (!is(c.code)) break;
            at += c.bytes;
        }
        last.to = at;
        return at;
    }

    std::size_t behind_line(std::size_t at) {
        at = behind_blanks(at);
        while (at < text_.size() && is_line_end(look(text_, at).code))
            at += look(text_, at).bytes;
        return at;
    }

    // Of a memory tag that begins here, up to the bracket that balances the first; 0: there is none.
    std::size_t tag_length() {
        if (!is_opening_bracket(look(text_, at_).code)) return 0;
        auto const head = tokens_of(text_.substr(at_, 40));
        if (head.empty() || head.front().text != U"memory") return 0;
        auto const close = end_of_bracket();
        if (close > at_ && close - at_ <= longest_tag) return close - at_;
        auto const line = end_of_line();
        return line > at_ && line - at_ <= longest_tag ? line - at_ : 0;  // not closed: the line
    }

    // Behind the bracket that closes the one here; 0: none does.
    std::size_t end_of_bracket() {
        if (!has_brackets_) pair_brackets();
        auto const known = brackets_.find(at_);
        return known == brackets_.end() ? 0 : known->second;
    }

    void pair_brackets() {
        has_brackets_ = true;
        std::vector<std::size_t> open;
        for (auto at = at_; at < text_.size();) {
            auto const c = look(text_, at);
            if (is_opening_bracket(c.code)) {
                open.push_back(at);
            } else if (is_one_of(c.code, U"]］】") && !open.empty()) {
                brackets_.emplace(open.back(), at + c.bytes);
                open.pop_back();
            }
            at += c.bytes;
        }
    }

    // Behind the line's end; 0: the text ends without one.
    std::size_t end_of_line() {
        if (!line_.has(at_)) {
            line_ = {at_, text_.size()};
            line_end_ = 0;
            for (auto at = at_; at < text_.size() && line_end_ == 0;) {
                auto const c = look(text_, at);
                at += c.bytes;
                if (!is_line_end(c.code)) continue;
                line_.to = at;
                line_end_ = at;
            }
        }
        return line_end_;
    }

    void end_piece(std::size_t end) {
        if (end > begin_) pieces_.push_back(text_.substr(begin_, end - begin_));
        begin_ = end;
        at_ = std::max(at_, end);
    }

    std::string_view text_;
    std::size_t begin_ = 0, at_ = 0;
    std::vector<std::string_view> pieces_;
    stretch closers_, blanks_, line_;
    std::size_t line_end_ = 0;
    std::unordered_map<std::size_t, std::size_t> brackets_;  ///< that opens -> behind that which closes it
    bool has_brackets_ = false;
};

}  // namespace

std::vector<std::string_view> sentences_of(std::string_view text) {
    return splitter(text).split();
}

}  // namespace engram::recall
