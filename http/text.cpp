#include "http/text.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <stdexcept>

namespace engram::http {

void check_header_value(std::string_view value, std::string_view what) {
    bool const printable =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    if (!printable)
        throw std::invalid_argument(
            std::string(what) + " has a line break, a control character or a character outside ASCII in it");
}

std::string quote(std::string_view text) {
    constexpr std::size_t most = 200;
    std::string const clean = base::to_utf8(text.substr(0, 4 * most));
    std::string out;
    std::size_t characters = 0;
    bool blank = true;  // leading blanks and repeated ones are left out
    for (std::size_t i = 0; i < clean.size(); ++i) {
        auto const c = static_cast<unsigned char>(clean[i]);
        bool const continues = (c & 0xC0) == 0x80;
        if (!continues && characters == most) return out += "…";
        if (c <= 0x20 || c == 0x7f) {
            if (!blank) {
                out += ' ';
                ++characters;
            }
            blank = true;
            continue;
        }
        if (!continues) ++characters;
        out += clean[i];
        blank = false;
    }
    if (out.ends_with(' ')) out.pop_back();
    if (text.size() > 4 * most) out += "…";
    return out;
}

std::string without_key(std::string text, base::secret const& key) {
    constexpr std::string_view instead = "[key]";
    if (key.reveal().size() < 8) return text;  // too short to be a key; any word might hold it
    for (auto at = text.find(key.reveal()); at != text.npos;
         at = text.find(key.reveal(), at + instead.size()))
        text.replace(at, key.reveal().size(), instead);
    return text;
}

}  // namespace engram::http
