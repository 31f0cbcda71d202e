#include "recall/entry.hpp"

#include "recall/entry_view.hpp"
#include "recall/stem.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <algorithm>

namespace engram::recall {
namespace {

bool is_year(std::string_view word) {
    return word.size() == 4 &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string make_entry(std::string_view text, voice by) {
    std::string entry{static_cast<char>(entry_version), '\0'};
    auto flags = static_cast<std::uint8_t>(by);
    word one{};
    auto const prefix = speaker_prefix(text);
    if (word_reader speaker(text.substr(0, prefix)); speaker.next(one)) {
        flags |= entry_flags::speaker;
        append_u32(entry, hash_of(one.text));
    }
    auto const body = text.substr(prefix);
    if (is_question(body)) flags |= entry_flags::question;
    word_reader words(body);
    for (std::size_t kept = 0; kept < most_stems && words.next(one);) {
        if (is_first_person(one.text)) flags |= entry_flags::first_person;
        if (is_time_word(one.text) || is_year(one.text)) flags |= entry_flags::time_word;
        if (is_stop_word(one.text)) continue;
        append_u32(entry, hash_of(stem_of(one.text)));
        ++kept;
    }
    entry[1] = static_cast<char>(flags);
    return entry;
}

}  // namespace engram::recall
