#include "base/json_text.hpp"

#include "base/byte_scan.hpp"
#include "base/utf8.hpp"

#include <charconv>
#include <cmath>

namespace engram::base {
namespace {

void append_escape(std::string& out, unsigned char c) {
    static constexpr char digits[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += digits[c >> 4];
            out += digits[c & 15];
    }
}

// Most text has nothing to escape for long stretches, so whole stretches are copied.
void append_utf8(std::string& out, std::string_view text) {
    auto const is_escaped = [](unsigned char c) {
        return (c < 0x20) | (c == '"') | (c == '\\') | (c == 0x7F);
    };
    for (std::size_t from = 0;;) {
        auto const at = find_byte(text, from, is_escaped);
        out.append(text, from, at - from);
        if (at == text.size()) return;
        append_escape(out, static_cast<unsigned char>(text[at]));
        from = at + 1;
    }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
    if (is_utf8(text))
        append_utf8(out, text);
    else
        append_utf8(out, to_utf8(text));
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    append_json_escaped(out, text);
    out += '"';
}

void append_json_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    char digits[400];
    auto const end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
    out.append(digits, end);
}

}  // namespace engram::base
