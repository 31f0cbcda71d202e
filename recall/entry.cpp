#include "recall/entry.hpp"

#include "recall/entry_view.hpp"
#include "recall/known_words.hpp"
#include "recall/words.hpp"

namespace engram::recall {
namespace {

void append_part(std::string& entry, part const& said) {
    auto const at = entry.size();
    entry += '\0';
    auto flags = static_cast<std::uint8_t>(said.by);
    word one{};
    auto const prefix = speaker_prefix(said.text);
    if (word_reader speaker(said.text.substr(0, prefix)); speaker.next(one)) {
        flags |= entry_flags::speaker;
        append_u32(entry, hash_of(one.text));
    }
    auto const body = said.text.substr(prefix);
    if (is_question(body)) flags |= entry_flags::question;
    auto const size_at = entry.size();
    entry.append(2, '\0');
    word_reader words(body);
    std::size_t kept = 0;
    while (kept < most_stems && words.next(one)) {
        auto const known = look_up(one.text);
        if (known.first_person) flags |= entry_flags::first_person;
        if (known.time) flags |= entry_flags::time_word;
        if (known.stop) continue;
        append_u32(entry, known.stem);
        ++kept;
    }
    entry[at] = static_cast<char>(flags);
    entry[size_at] = static_cast<char>(kept & 0xFF);
    entry[size_at + 1] = static_cast<char>(kept >> 8);
}

}  // namespace

std::string make_entry(std::string_view text, voice by) {
    part const alone{text, by};
    return make_entry(std::span(&alone, 1));
}

std::string make_entry(std::span<part const> parts) {
    std::string entry{static_cast<char>(entry_version)};
    for (auto const& said : parts)
        append_part(entry, said);
    return entry;
}

}  // namespace engram::recall
