#include "ctl/display.hpp"

#include "base/clock.hpp"
#include "base/utf8.hpp"

#include <boost/json/serialize.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace engram::ctl {

namespace {

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::size_t characters(std::string_view text) {
    return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

// The bytes of the character at the start of `text`; 0 if there is no valid one.
std::size_t character_length(std::string_view text) {
    auto const first = static_cast<unsigned char>(text[0]);
    std::size_t const length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return length <= text.size() && base::is_utf8(text.substr(0, length)) ? length : 0;
}

char32_t decode(std::string_view character) {
    auto const first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return first;
    char32_t code = first & (0xFFu >> (character.size() + 1));
    for (char const c : character.substr(1))
        code = code << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
    return code;
}

// Control characters, line ends of Unicode, and what lets a text pose as another by changing its direction.
bool is_obeyed(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string as_escape(char32_t c) {
    switch (c) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default: {
            char text[16];
            std::snprintf(text, sizeof text, "\\u%04x", unsigned(c));
            return text;
        }
    }
}

}  // namespace

std::string safe_text(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        std::size_t const length = character_length(bytes);
        if (length == 0) {
            char text[8];
            std::snprintf(text, sizeof text, "\\x%02x", unsigned(static_cast<unsigned char>(bytes[0])));
            out += text;
        } else if (auto const code = decode(bytes.substr(0, length)); is_obeyed(code)) {
            out += as_escape(code);
        } else {
            out += bytes.substr(0, length);
        }
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string safe_lines(std::string_view bytes) {
    std::string safe;
    while (!bytes.empty()) {
        auto const end = std::min(bytes.find_first_of("\n\t"), bytes.size());
        safe += safe_text(bytes.substr(0, end));
        if (end < bytes.size()) safe += bytes[end];
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
    }
    return safe;
}

std::string cut_text(std::string_view text, std::size_t most) {
    if (text.size() <= most || characters(text) <= most) return std::string(text);
    std::size_t end = 0;
    for (std::size_t seen = 0; end < text.size(); ++end) {
        if (!is_continuation(text[end]) && ++seen == most) break;
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string table(std::vector<std::vector<std::string>> const& rows) {
    std::vector<std::size_t> widths;
    for (auto const& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], characters(row[i]));
    }
    std::string out;
    for (auto const& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += row[i] + std::string(widths[i] - characters(row[i]) + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

std::string utc_text(std::int64_t unix_ms) {
    constexpr std::int64_t year_2200 = 7'258'118'400'000;  // the clock's nanoseconds reach a little farther
    if (unix_ms < 0 || unix_ms >= year_2200) return "-";
    return base::to_utc_text(base::wall_time(std::chrono::milliseconds(unix_ms))) + "Z";
}

std::int64_t whole_number(std::string_view text, std::int64_t otherwise) {
    std::int64_t number = 0;
    auto const end = text.data() + text.size();
    if (text.empty() || text[0] == '-') return otherwise;
    auto const read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end ? number : otherwise;
}

std::string count_of(std::size_t count, std::string_view noun) {
    return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

// What safe_text() changes in JSON stands inside of strings, where its escapes mean the same.
std::string json_line(boost::json::value const& document) {
    return safe_text(boost::json::serialize(document));
}

boost::json::value json_text(std::string_view bytes) {
    auto const text = base::to_utf8(bytes);
    return boost::json::value(boost::json::string_view(text.data(), text.size()));
}

std::string base64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a zero
    int const size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<unsigned char const*>(bytes.data()), int(bytes.size()));
    out.resize(std::size_t(size));
    return out;
}

}  // namespace engram::ctl
