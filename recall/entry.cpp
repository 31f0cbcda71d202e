#include "recall/entry.hpp"

#include "recall/entry_view.hpp"
#include "recall/known_words.hpp"
#include "recall/words.hpp"

namespace engram::recall {

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
        auto const known = look_up(one.text);
        if (known.first_person) flags |= entry_flags::first_person;
        if (known.time) flags |= entry_flags::time_word;
        if (known.stop) continue;
        append_u32(entry, known.stem);
        ++kept;
    }
    entry[1] = static_cast<char>(flags);
    return entry;
}

}  // namespace engram::recall
