#include "recall/neighbours.hpp"

#include "recall/hash.hpp"
#include "recall/stem.hpp"
#include "support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace {

using namespace engram::recall;

struct table_file : engram::test::temporary_folder {
    std::string write(std::string const& bytes) const {
        auto const file = path() / "words";
        std::ofstream(file, std::ios::binary) << bytes;
        return file;
    }

    void refuses(std::string const& bytes, std::string const& why) const {
        auto const file = write(bytes);
        BOOST_TEST_CONTEXT(why) BOOST_CHECK_THROW(word_neighbours::open(file), std::runtime_error);
    }
};

std::string number(std::uint32_t n) {
    return {static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(n >> 16),
            static_cast<char>(n >> 24)};
}

/// Two stems, each the other's neighbour.
std::string small_table() {
    auto const dog = hash_of("dog"), puppy = hash_of("puppi");
    bool const dog_first = dog < puppy;
    std::string bytes("engram.words.1\n\0", 16);
    for (auto const n : {2U, 2U, 8U})
        bytes += number(n);
    for (auto const n : {dog_first ? dog : puppy, dog_first ? puppy : dog, 0U, 1U, 2U})
        bytes += number(n);
    for (auto const n : {0U, dog_first ? 3U : 5U, 8U})
        bytes += number(n);
    bytes += std::string("\1\0\xFF\0\0\x33", 6);
    return bytes + (dog_first ? "dogpuppy" : "puppydog");
}

BOOST_FIXTURE_TEST_SUITE(neighbours, table_file)

BOOST_AUTO_TEST_CASE(a_small_table_is_read_as_written) {
    auto const table = word_neighbours::open(write(small_table()));
    BOOST_TEST(table->size() == 2U);
    auto const dog = table->find(hash_of("dog"));
    BOOST_REQUIRE(dog.has_value());
    BOOST_TEST(table->word(*dog) == "dog");
    BOOST_TEST(table->count(*dog) == 1U);
    auto const near = table->at(*dog, 0);
    BOOST_TEST(table->word(near.stem) == "puppy");
    BOOST_TEST(table->hash(near.stem) == hash_of("puppi"));
    BOOST_TEST(near.nearness == (*dog == 0 ? 1.F : .2F));
    BOOST_TEST(!table->find(hash_of("cat")));
}

BOOST_AUTO_TEST_CASE(the_table_of_the_project_knows_what_is_near) {
    auto const table = word_neighbours::open(WORD_NEIGHBOURS);
    BOOST_TEST(table->size() > 30'000U);
    auto const dog = table->find(hash_of(stem_of("dogs")));
    BOOST_REQUIRE(dog.has_value());
    std::string near;
    for (std::size_t i = 0; i < table->count(*dog); ++i)
        near += std::string(table->word(table->at(*dog, i).stem)) + ' ';
    BOOST_TEST(near.find("puppy ") != std::string::npos, near);
    BOOST_TEST(table->at(*dog, 0).nearness >= table->at(*dog, 1).nearness);
}

BOOST_AUTO_TEST_CASE(every_word_of_the_project_s_table_has_the_stem_it_stands_for) {
    auto const table = word_neighbours::open(WORD_NEIGHBOURS);
    for (std::size_t i = 0; i < table->size(); ++i) {
        auto const stem = static_cast<std::uint16_t>(i);
        std::string word(table->word(stem));
        apply_porter(word);
        if (hash_of(word) != table->hash(stem)) BOOST_ERROR(table->word(stem) << " is not " << word);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_table_is_refused) {
    BOOST_CHECK_THROW(word_neighbours::open(path() / "absent"), std::runtime_error);
    BOOST_CHECK_THROW(word_neighbours::open(path()), std::runtime_error);
    refuses("", "empty");
    refuses("engram.words.1\n", "too short");
    refuses(std::string(1'000, 'x'), "another file");
}

BOOST_AUTO_TEST_CASE(a_cut_or_longer_table_is_refused) {
    auto const whole = small_table();
    for (std::size_t size = 0; size < whole.size(); ++size)
        refuses(whole.substr(0, size), "cut");
    refuses(whole + "x", "longer");
}

BOOST_AUTO_TEST_CASE(damage_is_refused_or_harmless) {
    auto const whole = small_table();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (char const change : {'\x01', '\x80', '\xFF'}) {
            auto damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ change);
            try {
                auto const table = word_neighbours::open(write(damaged));
                // Hashes, nearness and letters may be anything; all of it can be read.
                for (std::uint16_t stem = 0; stem < table->size(); ++stem) {
                    BOOST_TEST(table->word(stem).size() <= 8U);
                    for (std::size_t i = 0; i < table->count(stem); ++i)
                        BOOST_TEST(table->at(stem, i).stem < table->size());
                }
            } catch (std::runtime_error const& refused) {
                BOOST_TEST(std::string(refused.what()).find("words: ") != std::string::npos);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(each_kind_of_damage_is_refused) {
    auto const change = [](std::size_t at, std::string const& bytes) {
        return small_table().replace(at, bytes.size(), bytes);
    };
    refuses(change(0, "x"), "magic");
    refuses(change(16, number(3)), "stems");
    refuses(change(20, number(0xFFFFFFFF)), "neighbours");
    refuses(change(24, number(7)), "text");
    refuses(change(28, number(0xFFFFFFFF)), "hashes do not ascend");
    refuses(change(40, number(3)), "neighbours begin beyond the end");
    refuses(change(52, number(9)), "words begin beyond the end");
    refuses(change(60, std::string("\2\0", 2)), "a neighbour that is not there");
    refuses(change(66, "\n"), "a letter that is none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
