// Where values come from, and what is refused.
#include "daemon/config.hpp"

#include "config_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

using namespace engram;
using namespace engram::daemon;
using engram::test::contains;

BOOST_FIXTURE_TEST_SUITE(config_sources_and_errors, engram::test::config_folder)

BOOST_AUTO_TEST_CASE(without_any_source_everything_is_at_its_default) {
    auto const values = load();
    BOOST_TEST(values.queue.server.url == "redis://127.0.0.1:6379");
    BOOST_TEST(values.chat.model == "claude-opus-5-5");
    BOOST_TEST(values.summary.model == "claude-haiku-5-5");
    BOOST_TEST(values.queue.deadline.count() == 600'000);
    BOOST_TEST(values.chat.retry_for.count() == 600'000);
    BOOST_TEST(values.chat.max_tokens == 8192u);
    BOOST_TEST(values.chat.effort.empty());
    BOOST_TEST(values.claude.fallback_models.empty());
    BOOST_TEST(!values.claude.fallback_on_overload);
    BOOST_TEST(values.summary.max_tokens == 4096u);
    BOOST_TEST(values.summary.trigger_bytes == 200'000u);
    BOOST_TEST(values.chat.memory_limit == 500u);
    BOOST_TEST(values.chat.recall_limit == 10u);
    BOOST_TEST(values.chat.memory_tokens == 4'000u);
    BOOST_TEST(values.chat.max_note_bytes == 2'000u);
    BOOST_TEST(values.chat.max_notes == 20u);
    BOOST_TEST(values.chat.timezone == "UTC");
    BOOST_TEST(values.embedding.base_url.empty());
    BOOST_TEST(!values.consolidation.enabled);
    BOOST_TEST(values.chat.types.offered().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_time_zone_must_be_one_that_the_system_knows) {
    sources.settings = {"chat.timezone=Europe/Berlin"};
    BOOST_TEST(load().chat.timezone == "Europe/Berlin");
    for (std::string const zone : {"Mars/Olympus", "", "../../etc/passwd", "localtime"}) {
        sources.settings = {"chat.timezone=" + zone};
        BOOST_TEST(contains(problems(), "chat.timezone: must be the IANA name of a time zone"), zone);
    }
}

BOOST_AUTO_TEST_CASE(a_given_file_that_is_missing_is_an_error_and_a_missing_default_file_is_not) {
    load();
    sources.file = path + "/nowhere.toml";
    BOOST_TEST(problems() == "nowhere.toml: cannot read the configuration: No such file or directory\n");
}

BOOST_AUTO_TEST_CASE(a_default_file_that_is_there_is_read) {
    write("engramd.toml", "[memory]\nlimit = 7\n");
    BOOST_TEST(load().chat.memory_limit == 7u);
}

BOOST_AUTO_TEST_CASE(a_folder_in_place_of_the_file_is_an_error) {
    sources.file = path;
    BOOST_TEST(contains(problems(), "Is a directory"));
}

BOOST_AUTO_TEST_CASE(a_device_without_end_is_refused) {
    sources.file = "/dev/zero";
    BOOST_TEST(contains(problems(), "longer than 1 MiB"));
}

BOOST_AUTO_TEST_CASE(the_environment_beats_the_file_and_set_beats_both) {
    write_file("[memory]\nlimit = 1\nhistory_turns = 31\n[summary]\nmodel = \"from-file\"\n");
    sources.environment = {"ENGRAMD_MEMORY_LIMIT=2", "ENGRAMD_MEMORY_HISTORY_TURNS=32", "HOME=/root"};
    sources.settings = {"memory.limit=3", "memory.limit=4"};
    auto const loaded = load_config(sources);
    BOOST_REQUIRE(loaded.has_value());
    BOOST_TEST(loaded->values.chat.memory_limit == 4u);
    BOOST_TEST(loaded->values.chat.history_turns == 32u);
    BOOST_TEST(loaded->values.summary.model == "from-file");
    BOOST_TEST(loaded->origins.at("memory.limit") == "--set");
    BOOST_TEST(loaded->origins.at("memory.history_turns") == "ENGRAMD_MEMORY_HISTORY_TURNS");
    BOOST_TEST(loaded->origins.at("summary.model") == *sources.file + ":5");
    BOOST_TEST(loaded->origins.count("redis.url") == 0u);
}

BOOST_AUTO_TEST_CASE(every_problem_is_reported_with_file_line_and_key) {
    write_file("[redis]\nurl = 5\n\n[queue]\nlease_ms = 999\nmax_in_fligth = 3\n[summery]\nx = 1\n");
    auto const text = problems();
    BOOST_TEST(contains(text, "given.toml:2: redis.url: must be text in quotation marks\n"));
    BOOST_TEST(contains(
        text, "given.toml:5: queue.lease_ms: must be an integer from 1000 to 3600000 (ms), not 999\n"));
    BOOST_TEST(
        contains(text, "given.toml:6: unknown key queue.max_in_fligth; did you mean queue.max_in_flight?\n"));
    BOOST_TEST(contains(text, "given.toml:7: unknown key summery; did you mean summary?\n"));
    BOOST_TEST(std::ranges::count(text, '\n') == 4);
}

BOOST_AUTO_TEST_CASE(what_is_not_toml_is_refused_with_its_line) {
    write_file("[redis]\nurl = \"redis://h\"\nprefix = \n");
    BOOST_TEST(contains(problems(), "given.toml:3: not TOML: "));
    write_file("[redis]\nprefix = \"a\"\nprefix = \"b\"\n");
    BOOST_TEST(contains(problems(), "given.toml:3: not TOML: "));
    write_file("redis = 3\n");
    BOOST_TEST(problems() == "given.toml:1: redis must be a section: [redis]\n");
    write_file(std::string("\xff\xfe\x00garbage", 10));
    BOOST_TEST(contains(problems(), "not TOML: "));
    write_file("[redis]\nprefix = 1979-05-27\nca_file = 1.5\n[redis.url]\na = 1\n");
    BOOST_TEST(std::ranges::count(problems(), '\n') == 3);
}

BOOST_AUTO_TEST_CASE(nesting_without_end_is_refused_and_does_not_end_the_process) {
    std::string dots;
    for (int i = 0; i < 300'000; ++i)
        dots += "a.";
    write_file(dots + "a = 1\n");
    BOOST_TEST(contains(problems(), "too many dots"));
    write_file("a = " + std::string(500'000, '['));
    BOOST_TEST(contains(problems(), "not TOML: "));
    write_file("a = " + std::string(100'000, '{'));
    BOOST_TEST(contains(problems(), "not TOML: "));
    sources.file.reset();
    sources.settings = {"queue.reply_prefixes=" + std::string(100'000, '[')};
    BOOST_TEST(contains(problems(), "is not TOML: "));
}

BOOST_AUTO_TEST_CASE(a_key_that_looks_like_a_secret_says_where_it_belongs_and_its_value_is_not_shown) {
    write_file("[claude]\napi_key = \"sk-ant-hidden\"\n");
    sources.environment = {"ENGRAMD_CLAUDE_API_KEY=sk-ant-hidden"};
    sources.settings = {"claude.api_key=sk-ant-hidden", "redis.password=sk-ant-hidden"};
    auto const text = problems();
    BOOST_TEST(std::ranges::count(text, '\n') == 4);
    BOOST_TEST(
        contains(text, "given.toml:2: claude.api_key is not a configuration key: the API key belongs in "));
    BOOST_TEST(contains(text, "ANTHROPIC_API_KEY"));
    BOOST_TEST(!contains(text, "hidden"));
    sources = {.file = {}, .default_file = "/nonexistent", .environment = {}, .settings = {}};
    sources.environment = {"ENGRAMD_EMBEDDING_API_KEY=sk-hidden"};
    BOOST_TEST(contains(problems(),
                        "in the credential file embedding_api_key (systemd's LoadCredential=) or "
                        "in the variable EMBEDDING_API_KEY"));
}

BOOST_AUTO_TEST_CASE(an_unknown_variable_is_an_error_with_a_suggestion) {
    sources.environment = {"ENGRAMD_REDIS_ULR=redis://h", "ENGRAMD_=x", "ENGRAM_PRESET=dev"};
    sources.settings = {"foo=1"};
    auto const text = problems();
    BOOST_TEST(contains(text, "--set: unknown key foo\n"));
    BOOST_TEST(contains(text, "unknown key redis.ulr; did you mean redis.url?\n"));
    BOOST_TEST(std::ranges::count(text, '\n') == 3);
}

BOOST_AUTO_TEST_CASE(a_bad_value_names_the_variable_or_the_set) {
    sources.environment = {"ENGRAMD_MEMORY_LIMIT=many", "ENGRAMD_SUMMARY_ENABLED=yes", "ENGRAMD_LOG_LEVEL="};
    sources.settings = {"queue.drain_ms=5s", "queue.drain_ms", "=3", "", "memory.limit=99999999999999999999"};
    auto const text = problems();
    BOOST_TEST(contains(
        text, "ENGRAMD_MEMORY_LIMIT in the environment: must be an integer from 0 to 10000 (memories)\n"));
    BOOST_TEST(contains(text, "ENGRAMD_SUMMARY_ENABLED in the environment: must be true or false\n"));
    BOOST_TEST(contains(text, "ENGRAMD_LOG_LEVEL in the environment: must be one of \"trace\", \"debug\""));
    BOOST_TEST(contains(text, "--set queue.drain_ms: must be an integer from 0 to 3600000 (ms)\n"));
    BOOST_TEST(contains(text, "--set queue.drain_ms: needs a value: --set queue.drain_ms="));
    BOOST_TEST(contains(text, "--set memory.limit: must be an integer"));
    BOOST_TEST(std::ranges::count(text, '\n') == 8);
}

BOOST_AUTO_TEST_CASE(an_unreadable_url_is_refused_without_showing_its_password) {
    sources.settings = {"redis.url=redis://me:hunter2@host:port", "claude.base_url=https://me:hunter2@host"};
    auto const text = problems();
    BOOST_TEST(contains(text, "--set redis.url: "));
    BOOST_TEST(contains(text, "--set claude.base_url: must not hold a user or password"));
    BOOST_TEST(!contains(text, "hunter2"));
}

BOOST_AUTO_TEST_CASE(lists_come_as_toml_or_separated_by_commas) {
    sources.settings = {"queue.reply_prefixes=web:, mobile:"};
    auto const expected = std::vector<std::string>{"web:", "mobile:"};
    BOOST_TEST(load().queue.reply_prefixes == expected);
    sources.settings = {"queue.reply_prefixes=[\"web:\", 'mobile:']"};
    BOOST_TEST(load().queue.reply_prefixes == expected);
    sources.settings = {"queue.reply_prefixes="};
    BOOST_TEST(load().queue.reply_prefixes.empty());
    sources.settings = {"queue.reply_prefixes=[1]"};
    BOOST_TEST(contains(problems(), "--set queue.reply_prefixes: has an entry of a wrong type"));
    sources.settings = {"queue.reply_prefixes=[]\nother = 1"};
    BOOST_TEST(contains(problems(), "--set queue.reply_prefixes: must be one TOML value"));
    sources.settings = {"queue.reply_prefixes=a,,b"};
    BOOST_TEST(contains(problems(), "--set queue.reply_prefixes: holds an entry that must be 1 to 128"));
}

BOOST_AUTO_TEST_CASE(prices_come_as_tables) {
    write_file(
        "[[claude.price]]\nmodel = \"m\"\ninput = 4\noutput = 20.5\n"
        "[[claude.price]]\nmodel = \"n\"\ninput = 1\noutput = 2\ncache_write = 3\ncache_read = 0\n");
    auto const prices = load().claude.prices;
    BOOST_REQUIRE(prices.size() == 2u);
    BOOST_TEST(prices[0].model == "m");
    BOOST_TEST(prices[0].output == 20.5);
    BOOST_TEST(prices[0].cache_write == 5.0);
    BOOST_TEST(prices[0].cache_read == 0.4, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(prices[1].cache_write == 3.0);
    BOOST_TEST(prices[1].cache_read == 0.0);
    sources.file.reset();
    sources.settings = {"claude.price=[{model = \"x\", input = 1, output = 2}]"};
    BOOST_TEST(load().claude.prices.at(0).model == "x");
}

BOOST_AUTO_TEST_CASE(a_price_that_is_not_whole_is_refused) {
    write_file("[[claude.price]]\nmodel = \"m\"\ninput = 4\n");
    BOOST_TEST(contains(problems(), "given.toml:1: claude.price: must be a list of tables; it needs output"));
    write_file("[[claude.price]]\nmodel = \"m\"\ninput = -4\noutput = 1\n");
    BOOST_TEST(contains(problems(), "needs amounts from 0 to 1000000"));
    write_file("[[claude.price]]\nmodel = \"m\"\ninput = nan\noutput = 1\n");
    BOOST_TEST(contains(problems(), "needs amounts from 0 to 1000000"));
    write_file("[[claude.price]]\nmodel = \"m\"\ninput = 1\noutput = 1\ncolour = 1\n");
    BOOST_TEST(contains(problems(), "has no key colour"));
    write_file("[claude]\nprice = [1]\n");
    BOOST_TEST(contains(problems(), "given.toml:2: claude.price: must be a list of tables"));
}

BOOST_AUTO_TEST_CASE(keys_that_contradict_each_other_are_refused) {
    sources.settings = {"summary.trigger_turns=6", "queue.max_parked=10", "queue.reply_prefixes=eng"};
    auto const text = problems();
    BOOST_TEST(contains(text, "summary.keep_turns (6) must be less than summary.trigger_turns (6)\n"));
    BOOST_TEST(contains(text, "queue.max_parked (10) must not be less than queue.max_in_flight (256)\n"));
    BOOST_TEST(contains(text, "queue.reply_prefixes must not cover the daemon's own keys"));
    sources.settings = {"queue.reply_prefixes=engram:jobs"};
    BOOST_TEST(contains(problems(), "must not cover the daemon's own keys"));
    sources.settings = {"queue.reply_prefixes=engram:reply:web:"};
    BOOST_TEST(load().queue.reply_prefixes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(sentinels_and_their_service_come_together) {
    sources.settings = {"redis.sentinels=one:26379"};
    BOOST_TEST(contains(problems(), "redis.sentinels and redis.service must be given together"));
    sources.settings = {"redis.service=mymaster"};
    BOOST_TEST(contains(problems(), "redis.sentinels and redis.service must be given together"));
    sources.settings = {"redis.service=mymaster", "redis.sentinels=one:x"};
    BOOST_TEST(contains(problems(), "redis.sentinels"));
    write_file("[redis]\nservice = \"m\"\nsentinels = [\"one\", \"redis://:sesame@two:5000\"]\n");
    sources.settings.clear();
    auto const loaded = load_config(sources);
    BOOST_REQUIRE(loaded.has_value());
    BOOST_TEST(loaded->values.queue.server.sentinels.size() == 2u);
    auto const shown = describe(*loaded, "not set", "not set");
    BOOST_TEST(!contains(shown, "sesame"));
    BOOST_TEST(contains(shown, "two:5000"));
}

BOOST_AUTO_TEST_CASE(an_embedding_endpoint_needs_a_model) {
    sources.settings = {"embedding.base_url=http://127.0.0.1:8080"};
    BOOST_TEST(problems() == "embedding.base_url needs embedding.model\n");
    sources.settings.push_back("embedding.model=nomic-embed-text");
    BOOST_TEST(load().embedding.model == "nomic-embed-text");
    sources.settings = {"embedding.base_url=https://me:hunter2@host", "embedding.model=m"};
    BOOST_TEST(contains(problems(),
                        "must not hold a user or password: the key comes from the credential or "
                        "EMBEDDING_API_KEY"));
    BOOST_TEST(!contains(problems(), "hunter2"));
}

BOOST_AUTO_TEST_CASE(what_is_hardly_meant_is_allowed_with_a_warning) {
    sources.settings = {"memory.history_turns=10", "queue.lease_ms=1000", "redis.ca_file=/x",
                        "claude.ca_file=/x", "claude.base_url=http://127.0.0.1:1"};
    auto const loaded = load_config(sources);
    BOOST_REQUIRE(loaded.has_value());
    BOOST_TEST(loaded->warnings.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_is_hardly_meant_of_models_and_sizes_is_allowed_with_a_warning) {
    auto const warned = [&](std::vector<std::string> settings) {
        sources.settings = std::move(settings);
        auto const loaded = load_config(sources);
        BOOST_REQUIRE(loaded.has_value());
        BOOST_REQUIRE_LE(loaded->warnings.size(), 1u);
        return loaded->warnings.empty() ? std::string() : loaded->warnings.front();
    };
    BOOST_TEST(
        contains(warned({"claude.fallback_models=claude-opus-5-5"}), "names nothing but claude.model"));
    BOOST_TEST(warned({"claude.fallback_models=claude-opus-5-5,other"}) == "");
    BOOST_TEST(contains(warned({"memory.history_bytes=100000"}), "summary.trigger_bytes is above"));
    BOOST_TEST(warned({"memory.history_bytes=100000", "summary.enabled=false"}) == "");
    BOOST_TEST(warned({"memory.history_bytes=100000", "summary.trigger_bytes=100000"}) == "");
}

BOOST_AUTO_TEST_CASE(an_effort_is_one_of_those_that_there_are) {
    sources.settings = {"claude.effort=xhigh"};
    BOOST_TEST(load().chat.effort == "xhigh");
    sources.settings = {"claude.effort=extreme"};
    BOOST_TEST(contains(problems(), "claude.effort"));
    sources.settings = {"claude.fallback_models=one, two words"};
    BOOST_TEST(contains(problems(), "claude.fallback_models"));
}

BOOST_AUTO_TEST_CASE(what_has_no_effect_on_embeddings_or_consolidation_is_allowed_with_a_warning) {
    auto const warned = [&](std::vector<std::string> settings) {
        sources.settings = std::move(settings);
        auto const loaded = load_config(sources);
        BOOST_REQUIRE(loaded.has_value());
        BOOST_REQUIRE_LE(loaded->warnings.size(), 1u);
        return loaded->warnings.empty() ? std::string() : loaded->warnings.front();
    };
    BOOST_TEST(contains(warned({"embedding.model=m"}), "embedding.model has no effect"));
    BOOST_TEST(contains(warned({"embedding.ca_file=/x"}), "embedding.ca_file has no effect"));
    BOOST_TEST(warned({"embedding.base_url=https://h", "embedding.model=m", "embedding.ca_file=/x"}) == "");
    BOOST_TEST(warned({"consolidation.every_memories=300"}) == "");
    BOOST_TEST(contains(warned({"consolidation.enabled=true", "consolidation.every_memories=300"}),
                        "some new memories are never shown"));
    BOOST_TEST(warned({"consolidation.enabled=true"}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
