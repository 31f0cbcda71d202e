#include "recall/entry.hpp"

#include "recall/entry_view.hpp"
#include "recall/known_words.hpp"
#include "recall/words.hpp"

#include <algorithm>

namespace engram::recall {
namespace {

// Appends the stems of a text to the `kept` ones of its part.
void append_stems(std::string& entry, std::string_view body, std::uint8_t& flags, std::size_t& kept) {
    if (is_question(body)) flags |= entry_flags::question;
    word_reader words(body);
    word one{};
    while (kept < most_stems && words.next(one)) {
        auto const known = look_up(one.text);
        if (known.first_person) flags |= entry_flags::first_person;
        if (known.time) flags |= entry_flags::time_word;
        if (known.stop) continue;
        append_u32(entry, known.stem);
        ++kept;
    }
}

// Whose it is says the first of the texts. REQUIRES: there is one.
void append_part(std::string& entry, std::span<part const> said) {
    auto const at = entry.size();
    entry += '\0';
    auto flags = static_cast<std::uint8_t>(said.front().by);
    word one{};
    auto const prefix = speaker_prefix(said.front().text);
    if (word_reader speaker(said.front().text.substr(0, prefix)); speaker.next(one)) {
        flags |= entry_flags::speaker;
        append_u32(entry, hash_of(one.text));
    }
    auto const size_at = entry.size();
    entry.append(2, '\0');
    std::size_t kept = 0;
    append_stems(entry, said.front().text.substr(prefix), flags, kept);
    for (auto const& more : said.subspan(1))
        append_stems(entry, more.text, flags, kept);
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
    bool const fit = parts.size() <= most_parts;
    for (std::size_t made = 1; !parts.empty(); ++made) {
        auto const of_another = [&](part const& one) { return one.by != parts.front().by; };
        auto const run = std::ranges::find_if(parts, of_another) - parts.begin();
        auto const together = fit                  ? std::size_t{1}
                              : made == most_parts ? parts.size()
                                                   : static_cast<std::size_t>(run);
        append_part(entry, parts.first(together));
        parts = parts.subspan(together);
    }
    return entry;
}

}  // namespace engram::recall
