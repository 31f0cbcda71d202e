#include "recall/likeness.hpp"

#include "recall/hash.hpp"
#include "recall/normal_form.hpp"

#include <algorithm>
#include <cstddef>

namespace engram::recall {
namespace {

// The bytes: 1 version; 8 hash of the normalized text, little-endian; 1 for each word, the cases in which it
// would say the same. Only the first of them if the text says nothing.
constexpr char version = 2;
constexpr std::size_t head = 9;
constexpr std::size_t most_words = 2'000;  // of a longer text the cases are part of the hash

bool share_a_case(char a, char b) {
    auto const known = [](char of) { return static_cast<unsigned char>(of) <= letter_case::any; };
    return known(a) && known(b) && (a & b) != 0;
}

}  // namespace

std::string make_fingerprint(std::string_view text) {
    auto form = normal_form_of(text);
    std::string bytes(1, version);
    if (form.text.empty()) return bytes;
    if (form.cases.size() > most_words) {
        form.text += form.cases;
        form.cases.clear();
    }
    auto const hash = wide_hash_of(form.text);
    append_u32(bytes, static_cast<std::uint32_t>(hash));
    append_u32(bytes, static_cast<std::uint32_t>(hash >> 32));
    return bytes += form.cases;
}

bool says_the_same(std::string_view fingerprint_a, std::string_view fingerprint_b) {
    auto const a = fingerprint_a, b = fingerprint_b;
    if (a.size() < head || a.size() != b.size() || a.front() != version) return false;
    return a.substr(0, head) == b.substr(0, head) &&
           std::equal(a.begin() + head, a.end(), b.begin() + head, share_a_case);
}

}  // namespace engram::recall
