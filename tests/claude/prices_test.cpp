#include "claude/prices.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram::claude;

namespace {

constexpr std::int64_t million = 1'000'000;

double in_price(std::string_view model) {
    return cost_of(model, {.input_tokens = million}, {}).value_or(-1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(prices, *boost::unit_test::tolerance(1e-9))

BOOST_AUTO_TEST_CASE(each_kind_of_token_has_its_price) {
    usage const used{.input_tokens = million,
                     .output_tokens = 2 * million,
                     .cache_read_input_tokens = 10 * million,
                     .cache_creation_input_tokens = 4 * million};
    BOOST_TEST(cost_of("claude-opus-4-5", used, {}).value() == 5 + 2 * 25 + 10 * 0.5 + 4 * 6.25);
}

BOOST_AUTO_TEST_CASE(a_dated_id_costs_what_its_model_costs) {
    BOOST_TEST(in_price("claude-opus-4-5-20251101") == 5.0);
    BOOST_TEST(in_price("claude-haiku-4-5@20251001") == 1.0);
}

BOOST_AUTO_TEST_CASE(a_longer_id_is_not_mistaken_for_a_shorter_one) {
    BOOST_TEST(in_price("claude-opus-5") == 5.0);
    BOOST_TEST(in_price("claude-opus-5-5") == 4.0);
    BOOST_TEST(in_price("claude-fable-5-1") == 10.0);
    BOOST_TEST(in_price("claude-fable-5-2") == 8.0);
}

BOOST_AUTO_TEST_CASE(an_unknown_model_has_no_price) {
    for (auto const* unknown : {"", "llama3", "claude-opus-5-7", "claude-opus-4-5-preview",
                                "claude-opus-4-5x", "claude-opus-4-5-2025110a"})
        BOOST_TEST(!cost_of(unknown, {.input_tokens = 1}, {}).has_value());
}

BOOST_AUTO_TEST_CASE(a_long_prompt_of_haiku_5_5_costs_more_and_all_of_it) {
    BOOST_TEST(cost_of("claude-haiku-5-5", {.input_tokens = 100'000}, {}).value() == 0.01);
    BOOST_TEST(
        cost_of("claude-haiku-5-5", {.input_tokens = 1, .cache_read_input_tokens = 100'000}, {}).value() ==
        (0.5 + 0.05 * 100'000) / 1e6);
}

BOOST_AUTO_TEST_CASE(configured_prices_come_first_and_the_longest_prefix_of_them) {
    std::vector<price> const own{
        {"claude", 1, 1, 1, 1}, {"claude-opus-4-5", 7, 1, 1, 1}, {"local", 0, 0, 0, 0}};
    BOOST_TEST(cost_of("claude-opus-4-5-20251101", {.input_tokens = million}, own).value() == 7.0);
    BOOST_TEST(cost_of("claude-opus-4-6", {.input_tokens = million}, own).value() == 1.0);
    BOOST_TEST(cost_of("local-model", {.input_tokens = million}, own).value() == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()
