#include "base/western_digits.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

using engram::base::western_digit;

std::string digits_of(std::u32string_view text) {
    std::string all;
    for (auto const c : text) {
        auto const digit = western_digit(c);
        all += digit == 0 ? '-' : digit;
    }
    return all;
}

BOOST_AUTO_TEST_SUITE(western_digits)

BOOST_AUTO_TEST_CASE(digits_of_every_script_width_and_shape_mean_those_of_ascii) {
    for (auto const* text : {U"٠١٢٣٤٥٦٧٨٩", U"۰۱۲۳۴۵۶۷۸۹", U"०१२३४५६७८९", U"০১২৩৪৫৬৭৮৯", U"๐๑๒๓๔๕๖๗๘๙",
                             U"၀၁၂၃၄၅၆၇၈၉", U"០១២៣៤៥៦៧៨៩", U"᥆᥇᥈᥉᥊᥋᥌᥍᥎᥏", U"０１２３４５６７８９",
                             U"𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", U"𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", U"𞥐𞥑𞥒𞥓𞥔𞥕𞥖𞥗𞥘𞥙", U"🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹"})
        BOOST_TEST(digits_of(text) == "0123456789");
}

BOOST_AUTO_TEST_CASE(what_is_no_decimal_digit_means_none) {
    for (auto const c : std::u32string_view(U"三²Ⅳ½①aア／：٪ٟ।\U0010FFFF"))
        BOOST_TEST(western_digit(c) == 0);
}

BOOST_AUTO_TEST_CASE(digits_of_ascii_are_what_they_are) {
    BOOST_TEST(digits_of(U"0123456789") == "----------");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
