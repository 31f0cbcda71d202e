#include "base/utf8.hpp"
#include "require.hpp"
#include "workers/chat/memory_tags.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using engram::workers::extract_memory_tags;
using engram::workers::memory_tag;

// Only deletions lead from `text` to `rest`.
bool is_subsequence(std::string_view rest, std::string_view text) {
    std::size_t at = 0;
    for (char const c : rest) {
        at = text.find(c, at);
        if (at++ == std::string_view::npos) return false;
    }
    return true;
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

void check(std::string_view text) {
    auto const found = extract_memory_tags(text, {"fact", "preference"});
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
    // No tag is left, and none can be made from what is left. (The period: a bracket and some letters at the
    // very end of a text count as a half tag, in front of a line that was taken away they do not.)
    auto const again = extract_memory_tags(found.reply + '.', {"fact"});
    REQUIRE(again.tags.empty() && again.malformed == 0);
    REQUIRE(again.reply == found.reply + '.');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(reinterpret_cast<char const*>(data), size);
    check(text);
    return 0;
}
