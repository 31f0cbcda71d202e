#include "workers/chat/quotations.hpp"

#include <algorithm>
#include <iterator>

namespace engram::workers {
namespace {

// Each closing mark is compared with all that are open. Nobody quotes deeper; what is beyond opens nothing.
constexpr std::size_t most_open = 8;  // quotation marks

struct pair {
    std::string_view left, right;
};
constexpr pair pairs[] = {{"\"", "\""},
                          {"'", "'"},
                          {"\xE2\x80\x9C", "\xE2\x80\x9D"},   // “ ”
                          {"\xE2\x80\x9E", "\xE2\x80\x9C"},   // „ “
                          {"\xE2\x80\x9E", "\xE2\x80\x9D"},   // „ ”
                          {"\xE2\x80\x9D", "\xE2\x80\x9D"},   // ” ”
                          {"\xE2\x80\x98", "\xE2\x80\x99"},   // ‘ ’
                          {"\xE2\x80\x9A", "\xE2\x80\x98"},   // ‚ ‘
                          {"\xE2\x80\x9A", "\xE2\x80\x99"},   // ‚ ’
                          {"\xE2\x80\x99", "\xE2\x80\x99"},   // ’ ’
                          {"\xE2\x80\x9F", "\xE2\x80\x9D"},   // ‟ ”
                          {"\xC2\xAB", "\xC2\xBB"},           // « »
                          {"\xC2\xBB", "\xC2\xAB"},           // » «
                          {"\xC2\xBB", "\xC2\xBB"},           // » »
                          {"\xE2\x80\xB9", "\xE2\x80\xBA"},   // ‹ ›
                          {"\xE2\x80\xBA", "\xE2\x80\xB9"},   // › ‹
                          {"\xE3\x80\x88", "\xE3\x80\x89"},   // 〈 〉
                          {"\xE3\x80\x8A", "\xE3\x80\x8B"},   // 《 》
                          {"\xE3\x80\x8C", "\xE3\x80\x8D"},   // 「 」
                          {"\xE3\x80\x8E", "\xE3\x80\x8F"},   // 『 』
                          {"\xE3\x80\x9D", "\xE3\x80\x9E"},   // 〝 〞
                          {"\xE3\x80\x9D", "\xE3\x80\x9F"},   // 〝 〟
                          {"\xEF\xB9\x81", "\xEF\xB9\x82"},   // ﹁ ﹂
                          {"\xEF\xB9\x83", "\xEF\xB9\x84"},   // ﹃ ﹄
                          {"\xEF\xBC\x82", "\xEF\xBC\x82"},   // ＂ ＂
                          {"\xEF\xBC\x87", "\xEF\xBC\x87"},   // ＇ ＇
                          {"\xEF\xBD\xA2", "\xEF\xBD\xA3"}};  // ｢ ｣
static_assert(std::size(pairs) <= quotation_marks::most_pairs);

// The quotation mark at the start of `rest`; empty if there is none.
std::string_view mark_at(std::string_view rest) {
    auto const first = static_cast<unsigned char>(rest[0]);
    if (first == '"' || first == '\'') return rest.substr(0, 1);
    if (first < 0xC2 || rest.size() < 2) return {};
    auto const second = static_cast<unsigned char>(rest[1]);
    bool const may_be = first == 0xC2                    ? second == 0xAB || second == 0xBB
                        : first == 0xE2 || first == 0xE3 ? second == 0x80
                        : first == 0xEF                  ? second == 0xB9 || second == 0xBC || second == 0xBD
                                                         : false;
    if (!may_be) return {};
    for (auto const& one : pairs) {
        if (rest.starts_with(one.left)) return one.left;
        if (rest.starts_with(one.right)) return one.right;
    }
    return {};
}

bool is_apostrophe(std::string_view mark) {
    return mark == "'" || mark == "\xE2\x80\x99";
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_of_word(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool are_partners(std::string_view left, std::string_view right) {
    return std::ranges::any_of(pairs,
                               [&](pair const& one) { return one.left == left && one.right == right; });
}

constexpr std::string_view elements[] = {"blockquote", "code", "kbd", "pre", "q", "samp", "xmp"};

struct html_tag {
    std::size_t element = std::size(elements);  // index; past the end: another one
    bool closes = false;
};

// The tag at the start of `rest`, which is a "<".
html_tag read_tag(std::string_view rest) {
    html_tag tag;
    rest.remove_prefix(1);
    if (rest.starts_with('/')) {
        tag.closes = true;
        rest.remove_prefix(1);
    }
    for (std::size_t i = 0; i < std::size(elements); ++i) {
        auto const name = elements[i];
        if (rest.size() <= name.size()) continue;
        bool const same = std::equal(name.begin(), name.end(), rest.begin(), [](char a, char b) {
            return a == (b >= 'A' && b <= 'Z' ? b | 0x20 : b);
        });
        auto const behind = rest[name.size()];
        if (same && (behind == '>' || is_space(behind))) tag.element = i;
    }
    return tag;
}

}  // namespace

bool is_between_quotation_marks(std::string_view left, std::string_view right) {
    return std::ranges::any_of(
        pairs, [&](pair const& one) { return left.ends_with(one.left) && right.starts_with(one.right); });
}

// A mark that opens: not an apostrophe behind or before a letter's end, and not 5".
bool quotation_marks::may_open(std::size_t at, std::string_view mark) const {
    auto const before = at > begin_ ? text_[at - 1] : ' ';
    if (mark == "\"") return !is_digit(before);
    if (!is_apostrophe(mark)) return true;
    auto const behind = at + mark.size() < end_ ? text_[at + mark.size()] : ' ';
    return !is_of_word(before) && !is_space(behind);
}

bool quotation_marks::may_close(std::size_t at, std::string_view mark) const {
    if (!is_apostrophe(mark)) return true;
    auto const before = at > begin_ ? text_[at - 1] : ' ';
    auto const behind = at + mark.size() < end_ ? text_[at + mark.size()] : ' ';
    return !is_space(before) && !is_of_word(behind);
}

void quotation_marks::expect(std::size_t at) {
    auto const mark = mark_at(text_.substr(at));
    if (mark.empty() || !may_close(at, mark)) return;
    for (std::size_t i = 0; i < std::size(pairs); ++i)
        if (pairs[i].right == mark) last_[i] = at + 1;
}

void quotation_marks::see(std::size_t at) {
    auto const mark = mark_at(text_.substr(at));
    if (mark.empty()) return;
    if (may_close(at, mark)) {
        auto const partner = std::find_if(open_.rbegin(), open_.rend(),
                                          [&](std::string_view one) { return are_partners(one, mark); });
        if (partner != open_.rend()) {
            open_.erase(std::prev(partner.base()), open_.end());
            return;
        }
    }
    bool const opens = std::ranges::any_of(pairs, [&](pair const& one) { return one.left == mark; });
    if (opens && open_.size() < most_open && may_open(at, mark)) open_.push_back(mark);
}

bool quotation_marks::is_open_beyond(std::size_t at) const {
    for (auto const one : open_)
        for (std::size_t i = 0; i < std::size(pairs); ++i)
            if (pairs[i].left == one && last_[i] > at) return true;
    return false;
}

quoting_elements::quoting_elements(marked_text const& text) {
    struct element_state {
        std::size_t begin = 0, depth = 0;
        std::size_t part = 0;  // index of it in parts_, plus 1; 0: it has none yet
    };
    std::array<element_state, std::size(elements)> states{};
    auto const all = text.text();
    if (all.find('<') == all.npos) return;
    for (auto const& line : text.lines()) {
        using kind = text_line::kind;
        if (line.is == kind::fence || line.is == kind::fenced || line.is == kind::indented) continue;
        // What a note holds opens nothing.
        bool const begins_with_note =
            line.content < line.end && read_opening(all, line.content).is == opening::extent::whole;
        auto const before = all.substr(0, line.end);
        for (auto at = before.find('<', line.begin); at != before.npos; at = before.find('<', at + 1)) {
            auto const tag = read_tag(before.substr(at));
            bool const in_code = at > line.begin && before[at - 1] == '`';
            if (tag.element == std::size(elements) || in_code) continue;
            auto& state = states[tag.element];
            if (!tag.closes) {
                if (begins_with_note) continue;
                if (state.depth++ == 0) state.begin = at;
            } else if (state.depth > 0) {
                if (state.part == 0) {
                    parts_.emplace_back(state.begin, at);
                    state.part = parts_.size();
                }
                parts_[state.part - 1].second = at;
                // Of these only quotations hold others of their kind.
                state.depth = elements[tag.element] == "blockquote" ? state.depth - 1 : 0;
                if (state.depth == 0) state.part = 0;
            }
        }
    }
    std::ranges::sort(parts_);
    std::size_t kept = 0;
    for (auto const& part : parts_) {
        if (kept > 0 && part.first <= parts_[kept - 1].second)
            parts_[kept - 1].second = std::max(parts_[kept - 1].second, part.second);
        else
            parts_[kept++] = part;
    }
    parts_.resize(kept);
}

bool quoting_elements::has(std::size_t at) const {
    auto const behind = std::ranges::upper_bound(parts_, at, {}, &std::pair<std::size_t, std::size_t>::first);
    return behind != parts_.begin() && at < std::prev(behind)->second;
}

}  // namespace engram::workers
