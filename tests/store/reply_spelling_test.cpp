// A stored reply that holds an erased text is found however its JSON spells it.
#include "base/json_text.hpp"
#include "sqlite/raw_files.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

// As versions before this one wrote the text of a reply.
std::string earlier(std::string_view text) {
    std::string out;
    char escape[7];
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out.append("\\").append(1, c);
        else if (c == '\n')
            out += "\\n";
        else if (byte < 0x20) {
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
            out += escape;
        } else {
            out += c;
        }
    }
    return out;
}

std::string now(std::string_view text) {
    std::string out;
    base::append_json_escaped(out, text);
    return out;
}

constexpr std::array odd{"\t", "\r", "\b", "\f", "\n", "\x01", "\x1f", "\x7f", "\"", "\\", "\\t", "\\u0009"};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};

    void check(std::string (*spell)(std::string_view), std::string const& between) {
        auto const fact = "likes tea" + between + "qqmarker in the morning";
        auto const id = db.get(db->add_memory(of.user_id, {"fact", fact}, at())).now.what.id;
        auto what = exchange_of(of, job("j"));
        what.seen = db.get(db->load_context(query_of(of))).seen;
        what.compose_reply = [said = spell(fact)](auto const&) {
            return R"({"status":"ok","reply":"You )" + said + R"(.","attempts":1})";
        };
        BOOST_REQUIRE(db.get(db->commit_exchange(what)).committed);
        auto failed = failure_of(job("other", "t"), R"({"error":{"message":"no: )" + spell(fact) + "\"}}");
        failed.user_id = of.user_id;
        db.get(db->record_failure(failed));
        auto const gone = db.get(db->delete_memory(of.user_id, id, at()));
        BOOST_REQUIRE(gone.has_value());
        BOOST_TEST(gone->counts.replies == 1u);
        BOOST_TEST(gone->reply_keys == std::vector<std::string>{"reply:j"}, boost::test_tools::per_element());
        BOOST_TEST(!stands_in_files(path, "qqmarker"));
        db.get(db->forget_user(of.user_id, store::finished_jobs::remove, at()));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_reply_spelling, fixture)

BOOST_AUTO_TEST_CASE(replies_as_they_are_written_now_are_found) {
    for (std::string const between : odd)
        BOOST_TEST_CONTEXT(now(between)) {
            check(now, between);
        }
}

BOOST_AUTO_TEST_CASE(replies_that_earlier_versions_wrote_are_found) {
    for (std::string const between : odd)
        BOOST_TEST_CONTEXT(now(between)) {
            check(earlier, between);
        }
}

BOOST_AUTO_TEST_SUITE_END()
