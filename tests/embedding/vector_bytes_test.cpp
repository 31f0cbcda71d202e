#include "embedding/vector_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <numeric>
#include <random>
#include <utility>

using namespace engram::embedding;

namespace {

std::vector<float> unit(std::vector<float> v) {
    float const length = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0F));
    for (float& x : v)
        x /= length;
    return v;
}

std::vector<float> random_unit(std::mt19937& random, std::size_t dimensions) {
    std::normal_distribution<float> normal;
    std::vector<float> v(dimensions);
    for (float& x : v)
        x = normal(random);
    return unit(std::move(v));
}

double dot(std::vector<float> const& a, std::vector<float> const& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bytes_of_vectors)

BOOST_AUTO_TEST_CASE(a_component_is_one_byte_of_127_parts) {
    auto const bytes = to_bytes(std::vector<float>{1, -1, 0, 0.5F, -0.5F, 7, -7});
    BOOST_TEST(bytes == std::string("\x7f\x81\x00\x40\xc0\x7f\x81", 7));
}

BOOST_AUTO_TEST_CASE(a_vector_comes_back_of_unit_length_and_nearly_the_same) {
    std::mt19937 random(7);
    for (std::size_t const dimensions : {1U, 3U, 384U, 1536U, 4096U}) {
        auto const v = random_unit(random, dimensions);
        auto const back = from_bytes(to_bytes(v));
        BOOST_REQUIRE(back.size() == dimensions);
        BOOST_TEST(dot(back, back) == 1.0, boost::test_tools::tolerance(1e-5));
        BOOST_TEST(dot(v, back) > 0.98);
    }
}

BOOST_AUTO_TEST_CASE(the_cosine_of_bytes_is_that_of_the_vectors) {
    std::mt19937 random(8);
    for (auto const& [dimensions, most] : {std::pair(384U, 0.01), {1024U, 0.015}, {4096U, 0.03}})
        for (int i = 0; i < 100; ++i) {
            auto const a = random_unit(random, dimensions);
            auto b = random_unit(random, dimensions);
            float const near = float(i) / 50.0F;
            for (std::size_t k = 0; k < dimensions; ++k)
                b[k] += near * a[k];
            b = unit(std::move(b));
            auto const bytes = to_bytes(a);
            BOOST_TEST(std::abs(cosine(bytes, to_bytes(b)) - dot(a, b)) < most);
            BOOST_TEST(cosine_to(bytes)(to_bytes(b)) == cosine(bytes, to_bytes(b)));
        }
}

BOOST_AUTO_TEST_CASE(a_vector_has_cosine_1_with_itself_and_minus_1_with_its_opposite) {
    BOOST_TEST(cosine("\x10\x20", "\x10\x20") == 1.0, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(cosine("\x10\x20", "\xf0\xe0") == -1.0, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(cosine(std::string("\x10\x00", 2), std::string("\x00\x10", 2)) == 0.0);
}

BOOST_AUTO_TEST_CASE(blobs_that_cannot_be_compared_have_cosine_0) {
    BOOST_TEST(cosine("", "") == 0.0);
    BOOST_TEST(cosine("ab", "") == 0.0);
    BOOST_TEST(cosine("ab", "abc") == 0.0);
    BOOST_TEST(cosine(std::string(2, '\0'), "ab") == 0.0);
    BOOST_TEST(cosine_to("ab")(std::string(2, '\0')) == 0.0);
    BOOST_TEST(from_bytes(std::string(3, '\0')).empty());
    BOOST_TEST(from_bytes("").empty());
}

BOOST_AUTO_TEST_CASE(a_blob_of_any_size_is_survived) {
    std::string const huge(1'000'000, '\x80');  // -128, which to_bytes() never writes
    BOOST_TEST(cosine(huge, huge) == 1.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE_END()
