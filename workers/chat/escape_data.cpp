#include "base/utf8.hpp"
#include "workers/characters.hpp"
#include "workers/chat/note_marks.hpp"
#include "workers/chat/prompt.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace engram::workers {
namespace {

// Bytes that are, or begin, what flatten() changes.
constexpr bool is_special(unsigned char byte) {
    return byte < 0x20 || byte == 0x7F || byte == '<' || byte == '>' || byte == 0xC2 || byte == 0xE2;
}

// One line, no angle brackets.
std::string flatten(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    for (;;) {
        auto const plain = std::find_if(text.begin(), text.end(), is_special);
        out.append(text.begin(), plain);
        text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
        if (text.empty()) break;
        std::size_t length = 1;
        if (auto const size = line_break_length(text)) {
            out += "\\n";
            length = size;
        } else if (auto const control = control_length(text)) {
            out += ' ';
            length = control;
        } else if (text[0] == '<') {
            out += "&lt;";
        } else if (text[0] == '>') {
            out += "&gt;";
        } else {
            out += text[0];
        }
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace

std::string escape_data(std::string_view text) {
    auto const line = flatten(base::is_utf8(text) ? std::string(text) : base::to_utf8(text));
    std::string out;
    out.reserve(line.size());
    for (std::size_t at = 0; at < line.size();) {
        auto const bracket = std::min(find_bracket(line, at), line.size());
        out.append(line, at, bracket - at);
        if (bracket == line.size()) break;
        auto const bytes = look_at(std::string_view(line).substr(bracket)).bytes;
        if (could_become_opening(line, bracket))
            out += "&#91;";
        else
            out.append(line, bracket, bytes);
        at = bracket + bytes;
    }
    return out;
}

}  // namespace engram::workers
