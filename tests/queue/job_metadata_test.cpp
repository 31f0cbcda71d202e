#include "queue/job.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

using namespace engram::queue;

// The metadata that comes back when these are the producer's bytes of it; "refused: ..." if they are.
std::string kept(std::string const& bytes, std::string const& name = "\"metadata\"") {
    auto const job =
        parse_job(R"({"user_id":"u", )" + name + " :\n" + bytes + R"( ,"message":"hi"})", {"engram"});
    return job ? job->metadata : "refused: " + job.error().message;
}

BOOST_AUTO_TEST_SUITE(metadata)

BOOST_AUTO_TEST_CASE(the_producers_bytes_are_kept_untouched) {
    for (auto const* bytes :
         {"{}", "{ }", "{\n\t\"a\" : 1 ,\r\n \"b\":[ ] }", R"({"n":123456789012345678901234567890})",
          R"({"n":1.10,"e":1E+02,"z":-0})", R"({"u":"\u00fc\/\ud83d\ude00","w":"ü"})", R"({"a":1,"a":2})",
          R"({"s":"}]\"{[\\"})", R"({"metadata":{"metadata":{}}})", R"({"":null})"})
        BOOST_TEST(kept(bytes) == bytes);
}

BOOST_AUTO_TEST_CASE(its_name_may_be_written_with_escapes) {
    BOOST_TEST(kept(R"({"a": 1})", R"("\u006detadata")") == R"({"a": 1})");
    BOOST_TEST(kept(R"({"a": 1})", R"("metadat\u0061")") == R"({"a": 1})");
    BOOST_TEST(kept(R"({"a": 1})", R"("metadata\n")") == "{}");
}

BOOST_AUTO_TEST_CASE(it_holds_at_most_4096_bytes_as_they_stand) {
    auto const sized = [](std::size_t bytes) { return "{\"a\":\"" + std::string(bytes - 8, 'x') + "\"}"; };
    BOOST_TEST(kept(sized(4096)) == sized(4096));
    BOOST_TEST(kept(sized(4097)) == "refused: metadata must be at most 4096 bytes");
    BOOST_TEST(kept("{" + std::string(4095, ' ') + "}") == "refused: metadata must be at most 4096 bytes");
}

BOOST_AUTO_TEST_CASE(members_of_other_values_are_not_meant) {
    auto const job = parse_job(
        R"({"user_id":"u","message":"\"metadata\":{\"x\":1}","x":{"metadata":{"no":1}},"y":["metadata",{}]})",
        {"engram"});
    BOOST_REQUIRE(job.has_value());
    BOOST_TEST(job->metadata == "{}");
}

BOOST_AUTO_TEST_CASE(a_raw_member_is_any_value_and_the_last_of_its_name) {
    std::string_view const object =
        R"( { "s" : "a\\\"}" ,"n":-1.5e3,"t":true , "z":null,"a":[1,{"s":2}],"o":{},"n" : 7})";
    BOOST_TEST(raw_member(object, "s") == R"("a\\\"}")");
    BOOST_TEST(raw_member(object, "n") == "7");
    BOOST_TEST(raw_member(object, "t") == "true");
    BOOST_TEST(raw_member(object, "z") == "null");
    BOOST_TEST(raw_member(object, "a") == R"([1,{"s":2}])");
    BOOST_TEST(raw_member(object, "o") == "{}");
    BOOST_TEST(raw_member(object, "x").empty());
    BOOST_TEST(raw_member("{}", "x").empty());
    BOOST_TEST(raw_member(R"({"x":1})", "x") == "1");
    BOOST_TEST(raw_member("{\"x\":1\n}", "x") == "1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
