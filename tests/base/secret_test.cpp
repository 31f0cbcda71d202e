#include "base/secret.hpp"

#include "base/digest.hpp"
#include "base/random_id.hpp"

#include <boost/test/unit_test.hpp>

#include <type_traits>

namespace {

using namespace engram::base;

// A secret can get into a log line or a message only through reveal().
static_assert(!std::is_convertible_v<secret, std::string>);
static_assert(!std::is_convertible_v<secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, secret>);

template <class T>
concept printable = requires(std::ostream& out, T const& value) { out << value; };
static_assert(printable<std::string> && !printable<secret>);

BOOST_AUTO_TEST_SUITE(small_things)

BOOST_AUTO_TEST_CASE(a_secret_is_given_out_on_request_only) {
    secret const key(std::string("sk-1"));
    BOOST_CHECK(!key.empty());
    BOOST_CHECK_EQUAL(key.reveal(), "sk-1");
    BOOST_CHECK(secret().empty());
}

BOOST_AUTO_TEST_CASE(random_identifiers_are_hexadecimal_and_differ) {
    auto const id = random_hex(16);
    BOOST_CHECK_EQUAL(id.size(), 32U);
    BOOST_CHECK_EQUAL(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    BOOST_CHECK_NE(id, random_hex(16));
    BOOST_CHECK_EQUAL(random_hex(0), "");
}

BOOST_AUTO_TEST_CASE(the_digest_is_sha256) {
    auto const digest = sha256("abc");
    BOOST_REQUIRE_EQUAL(digest.size(), 32U);
    BOOST_CHECK_EQUAL(digest.substr(0, 4), "\xBA\x78\x16\xBF");
    BOOST_CHECK(digest.substr(28) == std::string("\xF2\x00\x15\xAD", 4));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
