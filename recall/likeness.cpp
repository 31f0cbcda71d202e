#include "recall/likeness.hpp"

#include "recall/fingerprint.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

namespace engram::recall {
namespace {

using std::span;

constexpr double least_share = .85;
constexpr std::ptrdiff_t least_words = 7;  // of a memory that one word more leaves the same

bool is_copula(mark const& one) {
    return (one.is & mark::copula) != 0;
}

std::vector<mark> without_copulas(span<mark const> marks) {
    std::vector<mark> rest;
    std::copy_if(marks.begin(), marks.end(), std::back_inserter(rest),
                 [](mark const& one) { return !is_copula(one); });
    return rest;
}

/// "blue is the favourite colour", "the favourite colour is blue".
bool are_swapped(span<mark const> a, span<mark const> b) {
    auto const one_copula = [](span<mark const> of) {
        return std::count_if(of.begin(), of.end(), is_copula) == 1;
    };
    if (a.size() != b.size() || !one_copula(a) || !one_copula(b)) return false;
    auto const split = std::find_if(a.begin(), a.end(), is_copula);
    auto const other = std::find_if(b.begin(), b.end(), is_copula);
    return split != a.begin() && split + 1 != a.end() && std::equal(a.begin(), split, other + 1, b.end()) &&
           std::equal(split + 1, a.end(), b.begin(), other);
}

/// Whether `longer` is `shorter` with few more words, all of them ordinary ones.
bool adds_little(span<mark const> longer, span<mark const> shorter) {
    auto const words = [](span<mark const> of) {
        return std::count_if(of.begin(), of.end(),
                             [](mark const& one) { return (one.is & mark::content) != 0; });
    };
    auto const fewer = words(shorter), more = words(longer);
    if (fewer < least_words || static_cast<double>(fewer) < least_share * static_cast<double>(more))
        return false;
    std::size_t at = 0;
    for (auto const& one : longer) {
        if (at < shorter.size() && one == shorter[at]) {
            ++at;
        } else if ((one.is & mark::plain) == 0) {
            return false;
        }
    }
    return at == shorter.size();
}

}  // namespace

bool says_the_same(std::string_view fingerprint_a, std::string_view fingerprint_b) {
    auto const all_a = marks_of(fingerprint_a), all_b = marks_of(fingerprint_b);
    if (!all_a || !all_b) return false;
    auto const a = without_copulas(*all_a), b = without_copulas(*all_b);
    if (a.empty() || b.empty()) return false;
    return std::equal(a.begin(), a.end(), b.begin(), b.end()) || are_swapped(*all_a, *all_b) ||
           adds_little(a, b) || adds_little(b, a);
}

}  // namespace engram::recall
