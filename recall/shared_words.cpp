#include "recall/shared_words.hpp"

#include "recall/known_words.hpp"
#include "recall/words.hpp"

#include <algorithm>

namespace engram::recall {
namespace {

// A part ends between two words, or, where there is no blank, between two characters.
std::string_view part_of(std::string_view text) {
    if (text.size() <= shared_words::bytes_a_part) return text;
    auto const most = text.substr(0, shared_words::bytes_a_part);
    if (auto const blank = most.find_last_of(" \t\r\n"); blank != most.npos) return text.substr(0, blank + 1);
    auto end = most.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return end > 0 ? text.substr(0, end) : most;
}

}  // namespace

std::vector<std::uint32_t> stems_of(std::string_view text) {
    std::vector<std::uint32_t> stems;
    word_reader words(text);
    for (word one{}; words.next(one);) {
        auto const known = look_up(one.text);
        if (!known.stop) stems.push_back(known.stem);
    }
    std::ranges::sort(stems);
    auto const repeated = std::ranges::unique(stems);
    stems.erase(repeated.begin(), repeated.end());
    return stems;
}

void shared_words::look_for(std::span<std::uint32_t const> stems) {
    for (auto const stem : stems)
        found_.emplace(stem, false);
    missing_ = found_.size();
}

bool shared_words::read_part() {
    if (missing_ == 0 || at_ == text_.size()) return false;
    auto const part = part_of(text_.substr(at_));
    at_ += part.size();
    word_reader words(part);
    for (word one{}; missing_ > 0 && words.next(one);) {
        // Stop words too: "like" is one, and "likes", which has the same stem, is none.
        auto const place = found_.find(look_up(one.text).stem);
        if (place == found_.end() || place->second) continue;
        place->second = true;
        --missing_;
    }
    return missing_ > 0 && at_ < text_.size();
}

double share_within(std::span<std::uint32_t const> stems, std::initializer_list<shared_words const*> texts) {
    if (stems.empty()) return 1;
    auto const shared = std::ranges::count_if(stems, [texts](std::uint32_t stem) {
        return std::ranges::any_of(texts, [stem](shared_words const* text) { return text->has(stem); });
    });
    return static_cast<double>(shared) / static_cast<double>(stems.size());
}

}  // namespace engram::recall
