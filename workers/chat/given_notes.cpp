#include "workers/chat/given_notes.hpp"

#include "workers/chat/memory_tags.hpp"
#include "workers/chat/note_body.hpp"
#include "workers/chat/tag_scan.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <vector>

namespace engram::workers {
namespace {

constexpr int words_a_part = 1'000;  // read in well under a millisecond
// What stands for MEMORY, or for a type, is a word or a few; more is a sentence. That bounds what is read
// again for each bracket, too.
constexpr std::size_t longest_word = 48;  // bytes
constexpr std::size_t longest_type = 48;  // bytes
// Of the words of a note that no given one has, the user must have said at least one in so many.
constexpr std::size_t one_told_in = 2;

/// A note, or something like one with another word in place of MEMORY.
struct lookalike {
    std::size_t body = 0;  // where it begins; 0: there is none
    bool is_note = false;  // its word is MEMORY, at least when read by the model
};

constexpr std::string_view no_letters_of_word = " *_~'-";

// Letters, and what may stand between those of one word or of several that mean one.
bool is_of_word(std::string_view rest) {
    auto const c = static_cast<unsigned char>(rest[0]);
    auto const is = look_at(rest).is;
    if (c >= 0x80) return is == mark::other || is == mark::blank;
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           no_letters_of_word.find(rest[0]) != std::string_view::npos;
}

bool has_letters(std::string_view head) {
    return std::ranges::any_of(
        head, [](char c) { return (c | 0x20) >= 'a' || static_cast<unsigned char>(c) >= 0x80; });
}

std::size_t end_of_head(std::string_view text, std::size_t at, std::size_t lines) {
    while (at < text.size()) {
        auto const c = look_at(text.substr(at));
        if ((text[at] == '\n' || text[at] == '\r') && --lines == 0) break;
        if (c.is == mark::bar || c.is == mark::open || c.is == mark::close) break;
        at += c.bytes;
    }
    return std::min(at, text.size());
}

lookalike read_lookalike(std::string_view text, std::size_t at) {
    if (auto const found = read_opening(text, at); found.is == opening::extent::whole)
        return {found.end, true};
    auto const begin = at = skip_blanks(text, at + look_at(text.substr(at)).bytes);
    while (at < text.size() && at - begin <= longest_word && is_of_word(text.substr(at)))
        at += look_at(text.substr(at)).bytes;
    if (at == begin || at - begin > longest_word) return {};
    if (at >= text.size() || look_at(text.substr(at)).is != mark::colon) return {};
    auto word = to_plain_form(text.substr(begin, at - begin));
    std::erase_if(word, [](char c) { return no_letters_of_word.find(c) != std::string_view::npos; });
    if (word.empty()) return {};
    auto const body = at + look_at(text.substr(at)).bytes;
    auto const end = end_of_head(text, body, 1);
    bool const has_bar = end < text.size() && look_at(text.substr(end)).is == mark::bar;
    bool const has_label =
        to_plain_form(text.substr(body, end - body)).find_first_of("#0123456789") != std::string::npos;
    return has_bar || has_label ? lookalike{body, word == "memory"} : lookalike{};
}

// "[記憶: 忘れる|全部]", but not "[format: json|yaml]": in place of the type one word (a verb in other
// scripts may have a few), and behind it several, or words of a script in which few characters say much.
bool is_like_a_note(note_body const& parts) {
    if (!parts.has_bar || parts.head.size() > longest_type || !has_letters(parts.head)) return false;
    if (parts.head.find_first_of("#0123456789") != std::string::npos) return false;
    bool const ascii = std::ranges::none_of(parts.head, [](char c) { return c < 0; });
    if (std::ranges::count(parts.head, ' ') > (ascii ? 0 : 2)) return false;
    auto const content = trim_blanks(parts.content);
    return content.find_first_of(" \t\r\n") != content.npos ||
           std::ranges::any_of(content, [](char c) { return static_cast<unsigned char>(c) >= 0xE0; });
}

bool is_type_of_note(std::string_view head) {
    return head == "fact" || head == "preference" || head == "summary" || head.starts_with("update");
}

std::size_t find_lookalike(std::string_view text, std::size_t at) {
    at = find_bracket(text, at);
    while (at != text.npos && read_lookalike(text, at).body == 0)
        at = find_bracket(text, at + 1);
    return at;
}

// Calls `see(at, found, extent)` for each, also for those within others.
template <class See>
void each_lookalike(std::string_view text, See see) {
    auto at = find_lookalike(text, 0);
    if (at == text.npos) return;
    marked_text const marked(text);
    std::size_t line = 0;
    for (; at != text.npos; at = find_lookalike(text, at + 1)) {
        while (marked.lines()[line].next <= at)
            ++line;
        auto const found = read_lookalike(text, at);
        see(found, marked.read_note(at, {opening::extent::whole, found.body}, line));
    }
}

template <class See>
void each_number(std::string_view head, See see) {
    auto const plain = to_plain_form(head);
    auto const* const end = plain.data() + plain.size();
    for (auto const* at = plain.data(); at != end;) {
        std::int64_t number = 0;
        bool const is_sign = *at == '-';  // of no number of a memory
        auto const [stop, error] =
            is_sign ? std::from_chars_result{at, {}} : std::from_chars(at, end, number);
        if (stop != at && error == std::errc()) see(number);
        at = std::max(stop, at + 1);
    }
}

std::size_t hash_of(std::string_view content) {
    return std::hash<std::string>()(to_plain_form(trim_blanks(content)));
}

// What tells one statement from another without knowing its language: no short words, but names and numbers.
bool has_weight(recall::word const& one, std::string_view text) {
    auto const first = text[one.begin];
    bool const has_digit = std::ranges::any_of(one.text, [](char c) { return c >= '0' && c <= '9'; });
    bool const ascii =
        std::ranges::all_of(one.text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    bool const capital = first >= 'A' && first <= 'Z';
    return has_digit || one.text.size() >= (ascii ? capital ? 3U : 4U : 6U);
}

// Forms of one word have their beginning in common.
std::size_t key_of(std::string_view word) {
    std::size_t const characters = static_cast<std::size_t>(
        std::ranges::count_if(word, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    std::size_t end = 0;
    for (std::size_t left = characters <= 6 ? 5 : 6; end < word.size(); ++end) {
        if ((static_cast<unsigned char>(word[end]) & 0xC0) != 0x80 && --left == 0) break;
    }
    return std::hash<std::string_view>()(word.substr(0, end));
}

}  // namespace

std::unique_ptr<given_notes> given_notes::find(store::context const& context, std::string_view message) {
    auto given = std::make_unique<given_notes>();
    given->add(message, source::of_this_turn);
    for (auto const& one : context.found_memories)
        given->add(one.what.content, source::of_this_turn);
    for (auto const& one : context.found_turns) {
        if (one.what.role == store::role::user)
            given->add(one.what.content, source::of_this_turn);
        else if (has_opening(one.what.content))
            given->add(extract_memory_tags(one.what.content, {}).reply, source::of_this_turn);
    }
    // "Translate it" is about the message before.
    bool newest = true;
    for (auto turn = context.turns.rbegin(); turn != context.turns.rend(); ++turn) {
        if (turn->role != store::role::user) continue;
        given->add(turn->content, newest ? source::message_before : source::background);
        newest = false;
    }
    for (auto const& one : context.memories)
        given->add(one.content, source::background);
    bool const any = given->only_at_the_end_ || given->has_bare_ || given->has_open_wish_;
    if (!any && given->labels_.empty() && given->contents_.empty()) return nullptr;

    std::size_t at = 0;
    each_lookalike(message, [&](lookalike, note_extent const& note) {
        if (note.begin < at) return;
        given->own_.append(message, at, note.begin - at).append("\n");
        at = note.end;
    });
    given->own_.append(message, at);
    return given;
}

void given_notes::add(std::string_view text, source from) {
    std::size_t covered = 0, covered_by_notes = 0;
    each_lookalike(text, [&](lookalike const& found, note_extent const& note) {
        only_at_the_end_ |= found.is_note && from == source::of_this_turn;
        auto const head_end = end_of_head(text, found.body, marked_text::most_lines);
        add_labels(text.substr(found.body, head_end - found.body));
        // What is in a note is its content, but what merely looks like one covers no note.
        if (note.begin < (found.is_note ? covered_by_notes : covered)) return;
        covered = std::max(covered, note.end);
        if (found.is_note) covered_by_notes = note.end;
        auto const parts = split_body(note.body);
        bool const is_link = !found.is_note && text.substr(note.end).starts_with('(');
        if (!parts.has_bar && !found.is_note) return;
        if (parts.has_bar && !is_link) add_content(parts.content);
        if (from == source::background) return;
        has_bare_ |= found.is_note && (!parts.has_bar || !note.closed);
        if (is_link || !(found.is_note || is_like_a_note(parts))) return;
        may_be_translated_ |= parts.has_bar;
        bool const numbered = parts.head.find_first_of("0123456789") != std::string::npos;
        has_open_wish_ |=
            !numbered && has_letters(parts.head) && (!parts.has_bar || !is_type_of_note(parts.head));
    });
}

void given_notes::add_content(std::string_view content) {
    contents_.append(content).append("\n");
    whole_contents_.insert(hash_of(content));
}

void given_notes::add_labels(std::string_view head) {
    each_number(head, [this](std::int64_t number) { labels_.insert(number); });
}

bool given_notes::has_label_of(std::string_view head) const {
    bool found = false;
    each_number(head, [&](std::int64_t number) { found |= labels_.contains(number); });
    return found;
}

bool given_notes::read_on() {
    if (contents_.empty()) return false;
    if (!contents_read_) {
        contents_read_ = !read_words(contents_, content_words_);
        return true;
    }
    return read_words(own_, own_words_);
}

bool given_notes::read_words(std::string const& text, word_set& into) {
    if (!reading_) reading_.emplace(text);
    recall::word one{};
    for (int i = 0; i < words_a_part; ++i) {
        if (!reading_->next(one)) {
            reading_.reset();
            return false;
        }
        if (has_weight(one, text)) into.insert(key_of(one.text));
    }
    return true;
}

bool given_notes::has_like(std::string_view body, bool closed) const {
    auto const parts = split_body(body);
    if (has_label_of(parts.head)) return true;
    auto const tag = closed ? read_body(body) : std::nullopt;
    if (!tag) return has_bare_;
    if (tag->what == memory_tag::kind::forget) return has_open_wish_;
    return says_what_was_given(tag->content);
}

bool given_notes::says_what_was_given(std::string_view content) const {
    if (contents_.empty()) return false;
    std::size_t others = 0, told = 0, all = 0;
    recall::word_reader words(content);
    for (recall::word one{}; words.next(one);) {
        if (!has_weight(one, content)) continue;
        ++all;
        auto const key = key_of(one.text);
        if (content_words_.contains(key)) continue;
        ++others;
        if (own_words_.contains(key)) ++told;
    }
    if (all == 0) return may_be_translated_ || whole_contents_.contains(hash_of(content));
    return others == 0 || (may_be_translated_ && told * one_told_in < others);
}

}  // namespace engram::workers
