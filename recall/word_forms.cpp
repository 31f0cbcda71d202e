#include "recall/word_forms.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace engram::recall {
namespace {

constexpr std::size_t same_phone_digits = 7;  // at the end: the prefix of the country may be missing

constexpr auto particles = std::to_array<std::u32string_view>(
    {U"이라고", U"입니다", U"이에요", U"에게서", U"에서는", U"에서", U"에게", U"으로", U"까지", U"부터",
     U"한테",   U"께서",   U"라고",   U"예요",   U"이다",   U"이랑", U"처럼", U"보다", U"씨가", U"씨는",
     U"님이",   U"님은",   U"은",     U"는",     U"이",     U"가",   U"을",   U"를",   U"의",   U"에",
     U"로",     U"와",     U"과",     U"도",     U"만",     U"씨",   U"님",   U"랑"});

std::size_t common_prefix(std::u32string_view a, std::u32string_view b) {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::span<std::u32string const> parts_of(token const& one) {
    return one.groups.empty() ? std::span(&one.text, 1) : std::span(one.groups);
}

}  // namespace

std::u32string_view without_particle(std::u32string_view word) {
    for (auto const one : particles)
        if (word.size() >= one.size() + 2 && word.ends_with(one))
            return word.substr(0, word.size() - one.size());
    return word;
}

bool differ_in_ending(std::u32string_view known, std::u32string_view seen) {
    auto const same = common_prefix(known, seen);
    auto const lost = known.size() - same, added = seen.size() - same;
    if (known.size() < 3) return false;
    if (added == 0 && same >= 5 && lost <= 4) return true;  // "debrecenben", "debrecen"
    if (known.size() >= 5) return same >= 4 && lost <= (known.size() >= 6 ? 2U : 1U) && added <= 4;
    return lost == 0 ? added <= known.size() - 2 : lost == 1 && same >= 3 && added <= 1;
}

bool differ_in_beginning(std::u32string_view a, std::u32string_view b) {
    auto const& longer = a.size() > b.size() ? a : b;
    auto const& shorter = a.size() > b.size() ? b : a;
    if (shorter.size() < 3) return false;
    for (std::size_t before = 0; before <= std::min<std::size_t>(3, longer.size()); ++before)
        if (differ_in_ending(shorter, longer.substr(before)) || longer.substr(before) == shorter) return true;
    return false;
}

bool is_this_century(std::u32string_view digits) {
    return digits.size() == 4 && digits.starts_with(U"20");
}

bool is_number(std::u32string_view known, token const& seen) {
    if (seen.text == known) return true;
    if (known.size() < number_digits) return false;
    auto const parts = parts_of(seen);
    for (std::size_t from = 0; from < parts.size(); ++from) {
        auto left = known;
        for (auto i = from; i < parts.size() && !left.empty() && left.starts_with(parts[i]); ++i)
            left.remove_prefix(parts[i].size());
        if (left.empty()) return true;
    }
    if (known.size() < same_phone_digits || seen.text.size() < same_phone_digits) return false;
    return known.ends_with(std::u32string_view(seen.text).substr(seen.text.size() - same_phone_digits));
}

}  // namespace engram::recall
