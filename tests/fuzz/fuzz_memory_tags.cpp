#include "base/utf8.hpp"
#include "require.hpp"
#include "workers/chat/given_notes.hpp"
#include "workers/chat/memory_tags.hpp"
#include "workers/chat/note_places.hpp"
#include "workers/chat/tag_tidy.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram::workers;

// Only deletions lead from `text` to `rest`.
bool is_subsequence(std::string_view rest, std::string_view text) {
    std::size_t at = 0;
    for (char const c : rest) {
        at = text.find(c, at);
        if (at++ == std::string_view::npos) return false;
    }
    return true;
}

std::string without_blanks(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), [](char c) {
        return std::string_view(" \t\r\n").find(c) == std::string_view::npos;
    });
    return out;
}

void check(memory_tag const& tag) {
    bool const is_new = tag.what == memory_tag::kind::add;
    REQUIRE(is_new ? tag.label == 0 : tag.label > 0);
    REQUIRE(is_new ? tag.type == "fact" || tag.type == "preference" : tag.type.empty());
    if (tag.what == memory_tag::kind::forget) {
        REQUIRE(tag.content.empty());
        return;
    }
    REQUIRE(!engram::base::is_blank(tag.content));
    REQUIRE(tag.content.front() != ' ' && tag.content.back() != ' ');
    REQUIRE(std::none_of(tag.content.begin(), tag.content.end(), [](char c) { return c >= 0 && c < ' '; }));
}

// What leaves the text is notes, and marks around them. All the rest stays.
void check_cuts(std::string_view text) {
    auto const found = find_notes(marked_text(text), {});
    std::string kept;
    std::vector<std::size_t> places;
    std::size_t at = 0;
    auto note = found.notes.begin();
    for (auto const& cut : found.cuts) {
        REQUIRE(cut.begin >= at && cut.end > cut.begin && cut.end <= text.size());
        kept += text.substr(at, cut.begin - at);
        if (places.empty() || places.back() != kept.size()) places.push_back(kept.size());
        at = cut.end;
        std::string around;
        auto inside = cut.begin;
        for (; note != found.notes.end() && note->begin < cut.end; ++note) {
            REQUIRE(note->begin >= inside && note->end <= cut.end);
            around += text.substr(inside, note->begin - inside);
            inside = note->end;
        }
        around += text.substr(inside, cut.end - inside);
        bool const may_have_letters =
            found.halves > 0 || around.find("```") != around.npos || around.find("~~~") != around.npos;
        REQUIRE(may_have_letters || std::ranges::none_of(around, [](char c) {
                    return c != 'x' && c != 'X' && (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
                }));
    }
    REQUIRE(note == found.notes.end());
    kept += text.substr(at);
    REQUIRE(without_blanks(tidy_cuts(kept, places)) == without_blanks(kept));
}

extraction check(std::string_view text) {
    auto found = extract_memory_tags(text, {"fact", "preference"});
    REQUIRE(is_subsequence(found.reply, text));
    REQUIRE(found.retyped <= found.tags.size());
    if (found.tags.empty() && found.malformed == 0) REQUIRE(found.reply == text);
    for (auto const& tag : found.tags)
        check(tag);
    if (engram::base::is_utf8(text)) {
        REQUIRE(engram::base::is_utf8(found.reply));
        for (auto const& tag : found.tags)
            REQUIRE(engram::base::is_utf8(tag.content));
    }
    // No note that counts is left, and none can be made from what is left.
    auto const again = extract_memory_tags(found.reply, {"fact"});
    REQUIRE(again.tags.empty() && again.malformed == 0);
    REQUIRE(again.reply == found.reply);
    return found;
}

extraction read_as_answer_to(std::string_view message, std::string_view answer) {
    auto const given = given_notes::find({}, message);
    while (given && given->read_on()) {
    }
    return extract_memory_tags(answer, {"fact", "preference"}, false, given.get());
}

// What was given comes back without effect; whatever it was, at least as much is left as without it.
void check_given(std::string_view message, std::string_view answer, extraction const& plain) {
    REQUIRE(read_as_answer_to(answer, answer).tags.empty());
    auto const found = read_as_answer_to(message, answer);
    REQUIRE(found.tags.size() <= plain.tags.size());
    REQUIRE(is_subsequence(without_blanks(plain.reply), without_blanks(found.reply)));
}

}  // namespace

// A message and an answer with 0xFE between them, or an answer.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    auto const middle = input.find('\xFE');
    auto const answer = middle == input.npos ? input : input.substr(middle + 1);
    check_cuts(answer);
    auto const plain = check(answer);
    check_given(input.substr(0, std::min(middle, size)), answer, plain);
    return 0;
}
