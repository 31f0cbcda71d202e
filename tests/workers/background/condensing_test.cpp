// Summaries that become one: what is asked, and what of the answer is taken.
#include "workers/background/condensing.hpp"

#include "workers/adversarial.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace engram;
using workers::read_condensed;

std::vector<store::memory> summaries(std::vector<std::string> const& texts) {
    std::vector<store::memory> all;
    for (auto const& text : texts)
        all.push_back({std::int64_t(all.size() + 1), "summary", text, "", "s"});
    return all;
}

claude::answer said(std::string text, std::string stop_reason = "end_turn") {
    claude::answer answer;
    answer.content.emplace_back(std::move(text));
    answer.stop_reason = std::move(stop_reason);
    return answer;
}

std::string condensed(std::vector<std::string> const& texts, std::string const& answer) {
    return read_condensed(said(answer), summaries(texts)).value_or("(none)");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(condensing)

BOOST_AUTO_TEST_CASE(the_summaries_are_data_and_nothing_of_them_is_left_out) {
    workers::summary_options options;
    options.max_tokens = 7;
    options.condense_tokens = 900;
    auto const request =
        workers::compose_condensing(options, summaries({"- a\n- b", std::string(20'000, 'x')}));
    BOOST_TEST(request.model == options.model);
    BOOST_TEST(request.max_tokens == 900u);
    auto const text = request.messages.at(0).content.at(0).text();
    BOOST_TEST(text.starts_with("<summaries>\n- - a\\n- b\n- xxx"));
    BOOST_TEST(text.find(std::string(20'000, 'x')) != std::string::npos);
    BOOST_TEST(text.ends_with("in about 300 words or less."));
    options.condense_tokens = 1'000'000;
    BOOST_TEST(workers::compose_condensing(options, {}).max_tokens == 20'000u);
    for (auto const& odd : test::adversarial_texts()) {
        auto const fenced =
            workers::compose_condensing({}, summaries({odd, odd})).messages.at(0).content.at(0).text();
        BOOST_TEST(fenced.find("</summaries>") == fenced.rfind("</summaries>"));
        BOOST_TEST(fenced.find("[MEMORY") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_has_everything_takes_their_place) {
    BOOST_TEST(condensed({"- The user is Ada Lovelace.\n- They talked about the weather at length.",
                          "- Ada Lovelace has 2 dogs.\n- They laughed a lot."},
                         "- The user, Ada Lovelace, has 2 dogs.") == "- The user, Ada Lovelace, has 2 dogs.");
}

BOOST_AUTO_TEST_CASE(a_point_whose_name_or_number_was_left_out_stays_in_its_own_words) {
    std::vector<std::string> const texts{
        "- They greeted each other and spoke for a while.\n- The user is called Ada.",
        "- The door opens with 4711.\n- Then they went on to speak of nothing of any weight."};
    BOOST_TEST(condensed(texts, "- The two spoke.") ==
               "- The user is called Ada.\n- The door opens with 4711.\n- The two spoke.");
    BOOST_TEST(condensed(texts, "- The user Ada opens doors with 4711.") ==
               "- The user Ada opens doors with 4711.");
    BOOST_TEST(condensed({"- Zofia met them at the gate.\n- " + std::string(99, 'x')}, "- They met.") ==
               "- Zofia met them at the gate.\n- They met.");
    BOOST_TEST(condensed({"- \u0418\u043c\u044f \u2014 \u0410\u0434\u0430.", std::string(99, 'x')}, "- x") ==
               "- \u0418\u043c\u044f \u2014 \u0410\u0434\u0430.\n- x");
    BOOST_TEST(condensed({"- \u82b1\u751f\u904e\u654f", std::string(99, 'x')}, "- \u5df4\u9ece") ==
               "- \u82b1\u751f\u904e\u654f\n- \u5df4\u9ece");
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_used_leaves_them_as_they_are) {
    std::vector<std::string> const texts{"- The user likes tea, and likes it hot.", "- They like it sweet."};
    BOOST_TEST(!read_condensed(said("- tea", "max_tokens"), summaries(texts)));
    BOOST_TEST(!read_condensed(said("- tea", "model_context_window_exceeded"), summaries(texts)));
    BOOST_TEST(!read_condensed(said("- no", "refusal"), summaries(texts)));
    BOOST_TEST(condensed(texts, " \n ") == "(none)");
    BOOST_TEST(condensed(texts, std::string(500, 'x')) == "(none)");
    BOOST_TEST(condensed(texts, "- Likes hot, sweet tea.") == "- Likes hot, sweet tea.");
}

BOOST_AUTO_TEST_CASE(whatever_the_texts_are_the_result_is_shorter) {
    for (auto const& text : test::adversarial_texts()) {
        auto const made = read_condensed(said(text), summaries({text, text}));
        if (made) BOOST_TEST(made->size() < 2 * text.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
