#include "daemon/api_key.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace {

using namespace engram::daemon;

struct credentials {
    credentials() {
        char name[] = "/tmp/engram-key-XXXXXX";
        path = ::mkdtemp(name);
        variables["CREDENTIALS_DIRECTORY"] = path;
    }
    ~credentials() { std::filesystem::remove_all(path); }

    void write(std::string const& text, std::string const& name = "anthropic_api_key") const {
        std::ofstream(path + "/" + name, std::ios::binary) << text;
    }

    auto load() const { return load_api_key(variable()); }
    auto load_embedding() const { return load_embedding_key(variable()); }

    get_variable variable() const {
        return [this](char const* name) -> char const* {
            auto const found = variables.find(name);
            return found == variables.end() ? nullptr : found->second.c_str();
        };
    }

    std::string path;
    std::map<std::string, std::string> variables;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_keys, credentials)

BOOST_AUTO_TEST_CASE(the_credential_goes_before_the_variable_and_is_trimmed) {
    write("sk-file\n");
    variables["ANTHROPIC_API_KEY"] = "sk-variable";
    auto const key = load();
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(key->value.reveal() == "sk-file");
    BOOST_TEST(key->origin == path + "/anthropic_api_key");
    write(" \r\nsk-other\r\n\r\n");
    BOOST_TEST(load()->value.reveal() == "sk-other");
}

BOOST_AUTO_TEST_CASE(a_missing_or_empty_credential_leaves_it_to_the_variable) {
    variables["ANTHROPIC_API_KEY"] = "sk-variable";
    BOOST_TEST(load()->value.reveal() == "sk-variable");
    BOOST_TEST(load()->origin == "ANTHROPIC_API_KEY");
    write("\n");
    BOOST_TEST(load()->value.reveal() == "sk-variable");
}

BOOST_AUTO_TEST_CASE(no_key_at_all_is_no_error) {
    BOOST_REQUIRE(load().has_value());
    BOOST_TEST(load()->value.empty());
    BOOST_TEST(load()->origin == "not set");
    variables["CREDENTIALS_DIRECTORY"] = "";
    variables["ANTHROPIC_API_KEY"] = " ";
    BOOST_TEST(load()->value.empty());
}

BOOST_AUTO_TEST_CASE(a_key_that_no_header_can_hold_is_refused_without_being_shown) {
    for (auto const* bad : {"sk-one\nsk-two", "sk one", "sk-\x01", "sk-\xc3\xa9"}) {
        write(bad);
        auto const key = load();
        BOOST_REQUIRE(key.has_error());
        BOOST_TEST(key.error().message.find("sk") == std::string::npos);
    }
    write(std::string("sk-\0x", 5));
    BOOST_TEST(load().has_error());
    write(std::string(100'000, 'k'));
    BOOST_TEST(load().has_error());
    write(std::string(100'000, ' ') + "sk");
    BOOST_TEST((load().has_error() || load()->value.empty()));
}

BOOST_AUTO_TEST_CASE(a_credential_that_cannot_be_read_is_an_error) {
    std::filesystem::create_directory(path + "/anthropic_api_key");
    variables["ANTHROPIC_API_KEY"] = "sk-variable";
    auto const key = load();
    BOOST_REQUIRE(key.has_error());
    BOOST_TEST(key.error().message.find("cannot read the API key from ") == 0u);
}

BOOST_AUTO_TEST_CASE(the_embedding_key_comes_from_places_of_its_own_by_the_same_rules) {
    write("sk-claude");
    variables["ANTHROPIC_API_KEY"] = "sk-claude";
    BOOST_TEST(load_embedding()->value.empty());
    BOOST_TEST(load_embedding()->origin == "not set");
    variables["EMBEDDING_API_KEY"] = " em-variable ";
    BOOST_TEST(load_embedding()->value.reveal() == "em-variable");
    BOOST_TEST(load_embedding()->origin == "EMBEDDING_API_KEY");
    write("em-file\n", "embedding_api_key");
    BOOST_TEST(load_embedding()->value.reveal() == "em-file");
    BOOST_TEST(load_embedding()->origin == path + "/embedding_api_key");
    BOOST_TEST(load()->value.reveal() == "sk-claude");
    write("em one", "embedding_api_key");
    BOOST_REQUIRE(load_embedding().has_error());
    BOOST_TEST(load_embedding().error().message.find("em one") == std::string::npos);
    BOOST_TEST(load().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
