#include "base/utf8.hpp"

#include "base/byte_scan.hpp"

namespace engram::base {
namespace {

// Length of the valid sequence at the start of `s`, 0 if there is none.
std::size_t sequence_length(std::string_view s) {
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    auto const continues = [&](std::size_t i) { return i < s.size() && (at(i) & 0xC0) == 0x80; };
    unsigned char const first = at(0);
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return continues(1) ? 2 : 0;
    if (first < 0xF0) {
        if (!continues(1) || !continues(2)) return 0;
        if (first == 0xE0 && at(1) < 0xA0) return 0;  // overlong
        if (first == 0xED && at(1) > 0x9F) return 0;  // surrogate
        return 3;
    }
    if (first > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && at(1) < 0x90) return 0;  // overlong
    if (first == 0xF4 && at(1) > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        auto const is_not_ascii = [](unsigned char c) { return c >= 0x80; };
        bool const ascii = static_cast<unsigned char>(text[0]) < 0x80;
        std::size_t const length = ascii ? find_byte(text, 0, is_not_ascii) : sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t const length = sequence_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
        } else {
            out.append(text.substr(0, length));
            text.remove_prefix(length);
        }
    }
    return out;
}

bool is_blank(std::string_view text) {
    while (!text.empty()) {
        unsigned char const c = static_cast<unsigned char>(text[0]);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            text.remove_prefix(1);
            continue;
        }
        auto const starts = [&](std::string_view s) { return text.substr(0, s.size()) == s; };
        if (starts("\xC2\xA0")) {
            text.remove_prefix(2);
        } else if (starts("\xE1\x9A\x80") || starts("\xE2\x80\xA8") || starts("\xE2\x80\xA9") ||
                   starts("\xE2\x80\xAF") || starts("\xE2\x81\x9F") || starts("\xE3\x80\x80") ||
                   starts("\xEF\xBB\xBF") ||
                   (starts("\xE2\x80") && text.size() >= 3 && static_cast<unsigned char>(text[2]) >= 0x80 &&
                    static_cast<unsigned char>(text[2]) <= 0x8B)) {
            text.remove_prefix(3);
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace engram::base
