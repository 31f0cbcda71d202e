#include "ctl/dead_letter.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram;
using namespace engram::ctl;
using redis::value;
using redis::value_kind;

redis::value text(std::string value) {
    return {value_kind::string, 0, std::move(value), {}};
}

redis::value list(std::vector<redis::value> items) {
    return {value_kind::array, 0, "", std::move(items)};
}

dead_letter letter_with(std::string job) {
    return {"1767225600000-1",
            {{"id", "a"},
             {"reason", "claude_rejected"},
             {"message", "no"},
             {"job", std::move(job)},
             {"at", "1767225600000"},
             {"attempts", "2"}}};
}

bool contains(std::string const& whole, std::string const& part) {
    return whole.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(dead_letters)

BOOST_AUTO_TEST_CASE(a_range_is_read) {
    auto const letters =
        read_dead_letters(list({list({text("1-0"), list({text("id"), text("a"), text("job"), text("")})})}));
    BOOST_REQUIRE(letters);
    BOOST_REQUIRE(letters->size() == 1);
    auto const& letter = letters->front();
    BOOST_TEST(letter.entry == "1-0");
    BOOST_TEST(letter.field("id").value() == "a");
    BOOST_TEST(letter.field("job").value() == "");
    BOOST_TEST(!letter.field("reason"));
    BOOST_TEST(letter.bytes() == 6);
}

BOOST_AUTO_TEST_CASE(what_is_no_range_is_none) {
    BOOST_TEST(!read_dead_letters(text("x")));
    BOOST_TEST(!read_dead_letters(list({text("x")})));
    BOOST_TEST(!read_dead_letters(list({list({text("1-0")})})));
    BOOST_TEST(!read_dead_letters(list({list({text("1-0"), list({text("id")})})})));
    BOOST_TEST(!read_dead_letters(list({list({list({}), list({})})})));
}

BOOST_AUTO_TEST_CASE(of_two_fields_with_one_name_the_first_counts) {
    dead_letter const letter{"1-0", {{"job", "first"}, {"job", "second"}}};
    BOOST_TEST(letter.field("job").value() == "first");
}

BOOST_AUTO_TEST_CASE(an_entry_is_named_whole) {
    BOOST_TEST(entry_id("1767225600000-0").value() == "1767225600000-0");
    BOOST_TEST(entry_id("0005-007").value() == "5-7");
    BOOST_TEST(entry_id("18446744073709551615-18446744073709551615").value() ==
               "18446744073709551615-18446744073709551615");
    for (auto const given : {"", "-", "1", "1-", "-1", "+", "(1-0", "1-0-0", "1-x", "x-1", " 1-0", "1-0 ",
                             "1-+1", "18446744073709551616-0", "0-18446744073709551616"})
        BOOST_TEST(!entry_id(given), given);
}

BOOST_AUTO_TEST_CASE(pieces_are_bounded_in_entries_and_near_a_size_in_bytes) {
    BOOST_TEST(next_piece(0, 0) == 8);
    BOOST_TEST(next_piece(8, 8 * 300) == 40);
    BOOST_TEST(next_piece(100, 100 * 300) == 100);
    BOOST_TEST(next_piece(8, 8 * 262'144) == 8);
    BOOST_TEST(next_piece(1, 20 * 1024 * 1024) == 1);
    std::size_t piece = next_piece(0, 0);
    for (int i = 0; i < 10; ++i)
        piece = next_piece(piece, piece);
    BOOST_TEST(piece == 100);
}

BOOST_AUTO_TEST_CASE(a_line_of_the_list_is_cut_and_shows_what_is_missing) {
    auto const cells = dead_letter_cells(letter_with("{}"));
    BOOST_TEST(cells.size() == dead_letter_headings().size());
    BOOST_TEST(cells[1] == "2026-01-01 00:00:00.000Z");
    dead_letter const empty{"1-0", {}};
    auto const none = dead_letter_cells(empty);
    for (std::size_t i = 1; i < none.size(); ++i)
        BOOST_TEST(none[i] == "-");
    dead_letter const loud{"1-0", {{"message", std::string(1000, 'x') + "\x1b"}, {"at", "soon"}}};
    BOOST_TEST(dead_letter_cells(loud).back().size() < 70);
    BOOST_TEST(dead_letter_cells(loud)[1] == "-");
}

BOOST_AUTO_TEST_CASE(a_page_has_everything_and_the_fields_of_others) {
    auto letter = letter_with("{\"a\":1}");
    letter.fields.emplace_back("note\x1b", "by hand");
    auto const page = dead_letter_page(letter);
    for (std::string const part :
         {"1767225600000-1", "claude_rejected", "7 bytes", "\n{\"a\":1}\n", "note\\u001b", "by hand"})
        BOOST_TEST(contains(page, part), part << " in " << page);
    BOOST_TEST(contains(dead_letter_page({"1-0", {}}), "missing"));
}

BOOST_AUTO_TEST_CASE(a_summary_leaves_the_job_out) {
    auto const summary = boost::json::serialize(dead_letter_summary(letter_with("secret")));
    BOOST_TEST(summary ==
               R"({"entry":"1767225600000-1","at":1767225600000,"reason":"claude_rejected","id":"a",)"
               R"("attempts":2,"message":"no","job_bytes":6})");
    BOOST_TEST(boost::json::serialize(dead_letter_summary({"1-0", {{"attempts", "many"}}})) ==
               R"({"entry":"1-0","at":null,"reason":null,"id":null,"attempts":null,"message":null,)"
               R"("job_bytes":null})");
}

BOOST_AUTO_TEST_CASE(a_document_has_the_job_as_text_or_as_bytes) {
    auto const readable = dead_letter_document(letter_with("{\"m\":\"é\"}"));
    BOOST_TEST((readable.at("job") == "{\"m\":\"é\"}"));
    BOOST_TEST(!readable.contains("job_base64"));
    auto const bytes = dead_letter_document(letter_with("\xff\xfe"));
    BOOST_TEST(bytes.at("job").is_null());
    BOOST_TEST((bytes.at("job_base64") == "//4="));
    auto const missing = dead_letter_document({"1-0", {{"more", "x"}}});
    BOOST_TEST(missing.at("job").is_null());
    BOOST_TEST(!missing.contains("job_base64"));
    BOOST_TEST((missing.at("other_fields").at("more") == "x"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
