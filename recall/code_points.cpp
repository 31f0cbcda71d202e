#include "recall/code_points.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utf8proc.h>

namespace engram::recall {
namespace {

// Where bytes that are no UTF-8 stand: the end of the last private plane.
constexpr std::int32_t raw_bytes = 0x10FE00;

bool is_presentation_form(std::int32_t code) {
    switch (utf8proc_get_property(code)->decomp_type) {
        case UTF8PROC_DECOMP_TYPE_WIDE:
        case UTF8PROC_DECOMP_TYPE_NARROW:
        case UTF8PROC_DECOMP_TYPE_INITIAL:
        case UTF8PROC_DECOMP_TYPE_MEDIAL:
        case UTF8PROC_DECOMP_TYPE_FINAL:
        case UTF8PROC_DECOMP_TYPE_ISOLATED:
            return true;
        default:
            return false;
    }
}

bool is_blank(std::int32_t code) {
    if (code < 0x80) return code == ' ' || (code >= '\t' && code <= '\r');
    auto const category = utf8proc_category(code);
    return code == 0x85 || (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP);
}

// The one that stands for all of its kind.
std::int32_t plain(std::int32_t code) {
    struct kind {
        std::int32_t first, last, by;
    };
    static constexpr std::array<kind, 10> kinds{{{0xAB, 0xAB, '"'},
                                                 {0xBB, 0xBB, '"'},
                                                 {0x2BC, 0x2BC, '\''},
                                                 {0x2010, 0x2015, '-'},
                                                 {0x2018, 0x201B, '\''},
                                                 {0x201C, 0x201F, '"'},
                                                 {0x2039, 0x203A, '\''},
                                                 {0x2212, 0x2212, '-'},
                                                 {0x300C, 0x300F, '"'},
                                                 {0x301D, 0x301F, '"'}}};
    if (is_blank(code)) return ' ';
    if (code < 0x80) return code;
    auto const* const one = std::find_if(kinds.begin(), kinds.end(),
                                         [code](kind const& k) { return code >= k.first && code <= k.last; });
    return one == kinds.end() ? code : one->by;
}

void add(std::string& to, std::int32_t code) {
    if (code < 0x80 || !is_presentation_form(code)) return append_code_point(to, plain(code));
    std::array<utf8proc_int32_t, 32> parts{};  // no character has more than 18
    int boundary = 0;
    auto const n = utf8proc_decompose_char(
        code, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT), &boundary);
    for (utf8proc_ssize_t i = 0; i < n; ++i)
        append_code_point(to, plain(parts.at(static_cast<std::size_t>(i))));
}

std::vector<std::int32_t> compose(std::string const& text) {
    std::vector<utf8proc_int32_t> codes(2 * text.size());  // two bytes are three characters at most
    auto n = utf8proc_decompose(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                static_cast<utf8proc_ssize_t>(text.size()), codes.data(),
                                static_cast<utf8proc_ssize_t>(codes.size()),
                                static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE));
    if (n > 0)
        n = utf8proc_normalize_utf32(codes.data(), n,
                                     static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    codes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return codes;
}

}  // namespace

void append_code_point(std::string& to, std::int32_t code) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    auto const size = utf8proc_encode_char(code, bytes.data());
    to.append(reinterpret_cast<char const*>(bytes.data()), static_cast<std::size_t>(size));
}

std::vector<std::int32_t> code_points_of(std::string_view text) {
    std::string unified;
    unified.reserve(text.size());
    while (!text.empty()) {
        utf8proc_int32_t code = 0;
        auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                           static_cast<utf8proc_ssize_t>(text.size()), &code);
        if (size <= 0) code = raw_bytes + static_cast<unsigned char>(text.front());
        add(unified, code);
        text.remove_prefix(size <= 0 ? 1 : static_cast<std::size_t>(size));
    }
    return compose(unified);
}

}  // namespace engram::recall
