#include "workers/characters.hpp"

namespace engram::workers {

std::size_t line_break_length(std::string_view text) {
    if (text.empty()) return 0;
    if (text.starts_with("\r\n")) return 2;
    if (text[0] >= '\n' && text[0] <= '\r') return 1;
    if (text.starts_with("\xC2\x85")) return 2;
    return text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9") ? 3 : 0;
}

std::size_t control_length(std::string_view text) {
    if (auto const length = line_break_length(text)) return length;
    if (text.empty()) return 0;
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (at(0) < 0x20 || at(0) == 0x7F) return 1;
    return at(0) == 0xC2 && text.size() > 1 && at(1) >= 0x80 && at(1) <= 0x9F ? 2 : 0;
}

}  // namespace engram::workers
